import { Secret, TOTP } from 'otpauth'
import type { Page } from 'playwright-core'
import { expect, test } from 'vitest'
import { heading, logOut, newUser, PASSWORD } from './actions.ts'
import { violations } from './axe.ts'
import { openSecurity } from './recovery.ts'
import type { World } from './site.ts'

const STEP_MS = 30_000
const codeOf = (secret: string, time = Date.now()) =>
  new TOTP({ secret: Secret.fromBase32(secret) }).generate({ timestamp: time })

/** The first step of a login, after which the second one is shown. */
async function enterPassword(page: Page, origin: string, handle: string): Promise<void> {
  await page.goto(`${origin}/login`)
  await page.getByLabel('Handle or email').fill(handle)
  await page.getByLabel('Password', { exact: true }).fill(PASSWORD)
  await page.getByRole('main').getByRole('button', { name: 'Log in', exact: true }).click()
  await page.getByRole('form', { name: 'Second step' }).waitFor()
}

/** An authenticator that is built into the device, and always finds its owner there (CDP, domain WebAuthn). */
async function addAuthenticator(page: Page): Promise<void> {
  const devtools = await page.context().newCDPSession(page)
  await devtools.send('WebAuthn.enable')
  await devtools.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      protocol: 'ctap2',
      transport: 'internal',
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  })
}

export function factorTests(world: World): void {
  let grace: Page
  let secret = ''
  let recoveryCode = ''
  const saveName = async (name: string, value: string) => {
    const form = grace.getByRole('form', { name })
    await form.getByLabel('Name', { exact: true }).fill(value)
    await form.getByRole('button', { name: 'Save' }).click()
  }

  test('an authenticator app is set up with a QR code, and its recovery codes are shown once', async () => {
    grace = await newUser(world.site, 'grace', 'Grace Hopper')
    await openSecurity(grace)
    await grace.getByRole('button', { name: 'Set up an authenticator app' }).click()
    await grace.getByRole('img', { name: 'QR code for an authenticator app' }).waitFor()
    expect(await violations(grace), 'set up').toEqual([])
    secret = (await grace.locator('code.key').textContent()) ?? ''
    const code = grace.getByLabel('Code', { exact: true })
    await code.fill('000000')
    await grace.getByRole('button', { name: 'Turn on' }).click()
    await grace.getByText('The code is wrong.').waitFor()
    await code.fill(codeOf(secret))
    await grace.getByRole('button', { name: 'Turn on' }).click()
    const codes = grace.locator('.recovery-codes li')
    await expect.poll(() => codes.count()).toBe(10)
    expect(await violations(grace), 'recovery codes').toEqual([])
    recoveryCode = (await codes.first().textContent()) ?? ''
    await grace.getByRole('button', { name: 'I kept them' }).click()
    await grace.getByText('10 left').waitFor()
  })

  test('a login asks for a code after the password, and accepts a recovery code', async () => {
    const { origin } = world.site
    await logOut(grace)
    await enterPassword(grace, origin, 'grace')
    expect(await violations(grace), 'second step').toEqual([])
    const submit = () => grace.getByRole('main').getByRole('button', { name: 'Log in', exact: true }).click()
    await grace.getByLabel('Code', { exact: true }).fill('000000')
    await submit()
    await grace.getByText('The code is wrong').waitFor()
    await grace.getByLabel('Code', { exact: true }).fill(codeOf(secret, Date.now() + STEP_MS))
    await submit()
    await heading(grace, 'Home').waitFor()
    await logOut(grace)
    await enterPassword(grace, origin, 'grace')
    await grace.getByLabel('Code', { exact: true }).fill(recoveryCode)
    await submit()
    await heading(grace, 'Home').waitFor()
  })

  test('a passkey is added, logs in without a name, and is a second factor', async () => {
    const { origin } = world.site
    await addAuthenticator(grace)
    await openSecurity(grace)
    await grace.getByText('9 left').waitFor()
    await grace.getByRole('button', { name: 'Add a passkey' }).click()
    await saveName('Add a passkey', 'Laptop')
    await grace.getByText('Passkey: Laptop').waitFor()
    expect(await violations(grace), 'passkeys').toEqual([])
    await grace.getByRole('button', { name: 'Rename the passkey Laptop' }).click()
    await saveName('Rename the passkey', 'Old laptop')
    await grace.getByText('Passkey: Old laptop').waitFor()
    await logOut(grace)
    await grace.getByRole('button', { name: 'Log in with a passkey' }).click()
    await heading(grace, 'Home').waitFor()
    await logOut(grace)
    await enterPassword(grace, origin, 'grace')
    await grace.getByRole('button', { name: 'Use a passkey' }).click()
    await heading(grace, 'Home').waitFor()
  })

  test('a passkey confirms what only a fresh login may do, and a removed one is gone', async () => {
    await openSecurity(grace)
    await grace.getByRole('button', { name: 'Remove the passkey Old laptop' }).click()
    await grace.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click()
    await grace.getByRole('link', { name: 'Delete' }).click()
    await grace.getByRole('button', { name: 'Delete my account' }).click()
    const dialog = grace.getByRole('dialog', { name: 'Confirm that it is you' })
    await dialog.getByLabel('Code', { exact: true }).waitFor()
    expect(await violations(grace), 'confirmation').toEqual([])
    await dialog.getByRole('button', { name: 'Use a passkey' }).click()
    await grace.getByText(/^Your account is hidden now/).waitFor()
    await grace.getByRole('button', { name: 'Log in with a passkey' }).click()
    await grace.getByText('Your account will not be deleted.').waitFor()
    await openSecurity(grace)
    await grace.getByRole('button', { name: 'Remove the passkey Old laptop' }).click()
    await grace.getByRole('dialog').getByRole('button', { name: 'Remove' }).click()
    await grace.getByText('Passkey removed').waitFor()
    expect(await grace.getByText('Passkey: Old laptop').count()).toBe(0)
    await grace.context().close()
  })
}
