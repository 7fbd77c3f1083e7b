import { expect, test } from 'vitest'
import {
  block,
  changeRelation,
  confirmPassword,
  expectRelationButtons,
  heading,
  openView,
  PASSWORD,
  register,
  rename,
} from './actions.ts'
import { newPage, verificationLink, type World } from './site.ts'

export function accountTests(world: World): void {
  test('the composer uses the length limit of the server, and a long name does not widen the page', async () => {
    const { site, bob } = world
    await bob.route('**/v1/limits', (route) => route.fulfill({ json: { postLength: 280, postImages: 1 } }))
    await bob.goto(site.origin)
    await bob.getByText('280 characters left').waitFor()
    await rename(bob, `Zoë 🦊 ${'W'.repeat(40)}`)
    expect(await bob.evaluate('document.documentElement.scrollWidth')).toBe(390)
  })

  test('the follow and block buttons show each change, and still do after a reload', async () => {
    const { site, bob } = world
    await bob.goto(`${site.origin}/@ada`)
    await expectRelationButtons(bob, ['Unfollow', 'More'])
    await changeRelation(bob, 'Unfollow', ['Follow', 'More'])
    await bob.reload()
    await expectRelationButtons(bob, ['Follow', 'More'])
    await changeRelation(bob, 'Follow', ['Unfollow', 'More'])
    await block(bob, 'ada')
    await bob.reload()
    await expectRelationButtons(bob, ['Unblock'])

    await openView(bob, 'Profile')
    await bob.getByRole('link', { name: 'Blocked accounts' }).click()
    await bob.getByRole('link', { name: /Ada Lovelace/ }).waitFor()
    await bob.getByRole('button', { name: 'Unblock Ada Lovelace' }).click()
    await bob.getByText('You haven’t blocked anyone.').waitFor()
    await bob.goto(`${site.origin}/@ada`)
    await expectRelationButtons(bob, ['Follow', 'More'])
    await block(bob, 'ada')
    await changeRelation(bob, 'Unblock', ['Follow', 'More'])
    await bob.reload()
    await expectRelationButtons(bob, ['Follow', 'More'])
  })

  test('a verification link asks for the password of its account, even if another account is logged in', async () => {
    const { site, ada } = world
    await register(await newPage(site), site.origin, 'dora')
    const sent: (string | null)[] = []
    ada.on('request', (request) => request.url().endsWith('/auth/verify') && sent.push(request.postData()))
    await ada.goto(await verificationLink(site, 'dora@example.com'))
    await heading(ada, 'Confirm your email').waitFor()
    expect(ada.url()).toBe(`${site.origin}/`)
    await ada.getByRole('link', { name: 'Profile', exact: true }).waitFor()
    // The first attempt has no password, and finds out whether the link still works.
    expect(sent).toHaveLength(1)
    expect(sent[0]).not.toContain('password')

    const box = ada.getByLabel('Password', { exact: true })
    expect(await box.getAttribute('autocomplete')).toBe('current-password')
    await confirmPassword(ada, 'another long password')
    await ada.getByText('The password is wrong. Try again').waitFor()
    await expect.poll(() => box.evaluate('document.activeElement.name')).toBe('password')
    expect(await box.getAttribute('aria-invalid')).toBe('true')
    expect(sent).toHaveLength(2)

    await confirmPassword(ada, PASSWORD)
    await heading(ada, 'Home').waitFor()
    await ada.getByRole('link', { name: /^Your profile: .*@dora$/ }).waitFor()
  })
}
