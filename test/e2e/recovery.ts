import { createECDH, randomBytes } from 'node:crypto'
import type { Page } from 'playwright-core'
import { expect, test } from 'vitest'
import { readLink, readMail } from '../../scripts/demo/inbox.ts'
import { heading, logIn, logOut, newUser, openView, PASSWORD } from './actions.ts'
import { violations } from './axe.ts'
import { newPage, type World } from './site.ts'

const NEW_PASSWORD = 'another long enough password'
const ADDRESS = 'bob@example.com'

export const openSecurity = async (page: Page) => {
  await openView(page, 'Profile')
  await page.getByRole('link', { name: 'Settings' }).click()
  await heading(page, 'Security').waitFor()
}

/** Makes the page believe that its browser is subscribed: a browser without internet cannot subscribe. */
async function pretendToGetPushes(page: Page): Promise<void> {
  const keys = {
    p256dh: createECDH('prime256v1').generateKeys('base64url'),
    auth: randomBytes(16).toString('base64url'),
  }
  const subscription = JSON.stringify({ endpoint: 'https://push.example.net/of-bob', keys })
  const pushManager = `{ getSubscription: async () => ({ toJSON: () => (${subscription}) }) }`
  await page.evaluate(`navigator.serviceWorker.getRegistration = async () => ({ pushManager: ${pushManager} }); null`)
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
    await bob.getByRole('main').getByRole('button', { name: 'Log in', exact: true }).click()
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

  test('a changed password ends every other login, and this one goes on, with its pushes', async () => {
    const { site, bob } = world
    await openSecurity(bob)
    await bob.getByRole('button', { name: 'Change password' }).click()
    await bob.getByLabel('Current password', { exact: true }).fill('a wrong long password')
    await bob.getByLabel('New password', { exact: true }).fill(PASSWORD)
    await bob.getByRole('button', { name: 'Save' }).click()
    await bob.getByText('The current password is wrong.').waitFor()
    await expect.poll(() => bob.evaluate('document.activeElement.name')).toBe('currentPassword')
    expect(await violations(bob), 'change password').toEqual([])
    await pretendToGetPushes(bob)
    const subscribed = bob.waitForResponse(
      (response) => response.request().method() === 'POST' && response.url().endsWith('/v1/me/push-subscriptions'),
    )
    await bob.getByLabel('Current password', { exact: true }).fill(NEW_PASSWORD)
    await bob.getByRole('button', { name: 'Save' }).click()
    await bob.getByText('Password changed.').waitFor()
    expect((await subscribed).status()).toBe(201)
    await bob.reload()
    const other = await newPage(site)
    await logIn(other, site.origin, 'bob')
    await other.context().close()
  })

  test('a new address is confirmed by a link, and the old address can undo the change', async () => {
    const { site, bob } = world
    await openSecurity(bob)
    await bob.getByRole('button', { name: 'Change email' }).click()
    await bob.getByLabel('New email').fill('robert@example.com')
    await bob.getByRole('button', { name: 'Save' }).click()
    await confirmIfAsked(bob, bob.getByText('Waiting until you open the link that we sent to robert@example.com.'))
    await bob.goto(await readLink(site.origin, 'robert@example.com', 'address'))
    await heading(bob, 'Confirm your new address').waitFor()
    expect(await violations(bob), 'confirm address').toEqual([])
    await bob.getByRole('button', { name: 'Confirm address' }).click()
    await heading(bob, 'Your new address is confirmed').waitFor()
    await openSecurity(bob)
    await bob.getByText('robert@example.com').waitFor()

    const victim = await newPage(site)
    const undo = await readLink(site.origin, ADDRESS, 'undo')
    await victim.goto(undo)
    await heading(victim, 'Keep your old address').waitFor()
    expect(await violations(victim), 'undo address').toEqual([])
    await victim.getByRole('button', { name: 'Undo the change' }).click()
    await heading(victim, 'Your address is the old one again').waitFor()
    await bob.getByText('Your session has expired').waitFor()
    await victim.goto(undo)
    await victim.getByRole('button', { name: 'Undo the change' }).click()
    await heading(victim, 'This link no longer works').waitFor()
    await readMail(site.origin, ADDRESS, /has this address again/)
    await victim.goto(await readLink(site.origin, ADDRESS, 'reset'))
    await victim.getByLabel('New password', { exact: true }).fill(PASSWORD)
    await victim.getByRole('button', { name: 'Save password' }).click()
    await heading(victim, 'Your password was changed').waitFor()
    await victim.context().close()
    await logIn(bob, site.origin, ADDRESS)
  })

  test('after a change of the handle, the old address of the profile leads to the new one', async () => {
    const { site, bob } = world
    await openSecurity(bob)
    await bob.getByRole('button', { name: 'Change handle' }).click()
    await bob.getByLabel('New handle').fill('robert')
    await bob.getByRole('button', { name: 'Save' }).click()
    await bob.getByText('You are @robert now').waitFor()
    await bob.getByRole('link', { name: /^Your profile: .*@robert$/ }).waitFor()
    await bob.getByText(/^You can change it from/).waitFor()
    await bob.getByRole('button', { name: 'Change handle' }).waitFor({ state: 'detached' })
    const visitor = await newPage(site)
    await visitor.goto(`${site.origin}/@bob`)
    await visitor.getByRole('heading', { level: 2, name: 'Bob Brown' }).waitFor()
    expect(visitor.url()).toBe(`${site.origin}/@robert`)
    await visitor.context().close()
  })
}

/** Enters the password in the dialog of operations that require a fresh login, if it opens before `result` appears. */
export async function confirmIfAsked(page: Page, result: ReturnType<Page['getByText']>): Promise<void> {
  const dialog = page.getByRole('dialog', { name: 'Confirm that it is you' })
  await dialog.or(result).first().waitFor()
  if (!(await dialog.isVisible())) return
  await dialog.getByLabel('Password', { exact: true }).fill(PASSWORD)
  await dialog.getByRole('button', { name: 'Continue' }).click()
  await result.first().waitFor()
}
