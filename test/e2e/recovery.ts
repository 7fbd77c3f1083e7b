import type { Page } from 'playwright-core'
import { expect, test } from 'vitest'
import { readLink } from '../../scripts/demo/inbox.ts'
import { heading, logIn, newUser, openView, PASSWORD } from './actions.ts'
import { violations } from './axe.ts'
import { newPage, type World } from './site.ts'

const NEW_PASSWORD = 'another long enough password'
const ADDRESS = 'bob@example.com'

const logOut = async (page: Page) => {
  await openView(page, 'Profile')
  await page.getByRole('button', { name: 'Log out' }).click()
  await page.getByRole('form', { name: 'Log in' }).waitFor()
}

export function recoveryTests(world: World): void {
  test('people type their password once: the browser that registered needs none for the link in the email', async () => {
    const { site } = world
    world.bob = await newUser(site, 'bob', 'Bob Brown')
    await logOut(world.bob)
  })

  test('a forgotten password is reset with a mailed link, which ends every other login and works once', async () => {
    const { site, bob } = world
    const other = await newPage(site)
    await logIn(other, site.origin, 'bob')
    await bob.getByLabel('Handle or email').fill('bob')
    await bob.getByRole('link', { name: 'Forgot your password?' }).click()
    await heading(bob, 'Reset your password').waitFor()
    expect(await bob.getByLabel('Handle or email').inputValue()).toBe('bob')
    expect(await violations(bob), 'forgot').toEqual([])
    await bob.getByRole('button', { name: 'Send the link' }).click()
    await heading(bob, 'Check your email').waitFor()
    expect(await violations(bob), 'sent').toEqual([])

    const link = await readLink(site.origin, ADDRESS, 'reset')
    await bob.goto(link)
    await heading(bob, 'Choose a new password').waitFor()
    expect(bob.url()).toBe(`${site.origin}/`)
    const box = bob.getByLabel('New password', { exact: true })
    expect(await box.getAttribute('autocomplete')).toBe('new-password')
    expect(await violations(bob), 'reset').toEqual([])
    await box.fill(NEW_PASSWORD)
    await bob.getByRole('button', { name: 'Save password' }).click()
    await heading(bob, 'Your password was changed').waitFor()
    await other.getByText('Your session has expired').waitFor()
    await other.context().close()

    await bob.getByLabel('Handle or email').fill('bob')
    await bob.getByLabel('Password', { exact: true }).fill(NEW_PASSWORD)
    await bob.getByRole('main').getByRole('button', { name: 'Log in' }).click()
    await heading(bob, 'Home').waitFor()

    const late = await newPage(site)
    await late.goto(link)
    await late.getByLabel('New password', { exact: true }).fill(PASSWORD)
    await late.getByRole('button', { name: 'Save password' }).click()
    await heading(late, 'This link no longer works').waitFor()
    expect(await violations(late), 'dead link').toEqual([])
    await late.getByRole('link', { name: 'Ask for a new link' }).click()
    await heading(late, 'Reset your password').waitFor()
    await late.context().close()
  })
}
