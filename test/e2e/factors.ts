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
  let hedy: Page
  let secret = ''
  let recoveryCode = ''
  const saveName = async (name: string, value: string) => {
    const form = hedy.getByRole('form', { name })
    await form.getByLabel('Name', { exact: true }).fill(value)
    await form.getByRole('button', { name: 'Save' }).click()
  }

  test('an authenticator app is set up with a QR code, and its recovery codes are shown once', async () => {
    hedy = await newUser(world.site, 'hedy', 'Hedy Lamarr')
    await openSecurity(hedy)
    await hedy.getByRole('button', { name: 'Set up an authenticator app' }).click()
    await hedy.getByRole('img', { name: 'QR code for an authenticator app' }).waitFor()
    expect(await violations(hedy), 'set up').toEqual([])
    secret = (await hedy.locator('code.key').textContent()) ?? ''
    const code = hedy.getByLabel('Code', { exact: true })
    await code.fill('000000')
    await hedy.getByRole('button', { name: 'Turn on' }).click()
    await hedy.getByText('The code is wrong.').waitFor()
    await code.fill(codeOf(secret))
    await hedy.getByRole('button', { name: 'Turn on' }).click()
    const codes = hedy.locator('.recovery-codes li')
    await expect.poll(() => codes.count()).toBe(10)
    expect(await violations(hedy), 'recovery codes').toEqual([])
    recoveryCode = (await codes.first().textContent()) ?? ''
    await hedy.getByRole('button', { name: 'I kept them' }).click()
    await hedy.getByText('10 left').waitFor()
  })

  test('a login asks for a code after the password, and accepts a recovery code', async () => {
    const { origin } = world.site
    await logOut(hedy)
    await enterPassword(hedy, origin, 'hedy')
    expect(await violations(hedy), 'second step').toEqual([])
    const submit = () => hedy.getByRole('main').getByRole('button', { name: 'Log in', exact: true }).click()
    await hedy.getByLabel('Code', { exact: true }).fill('000000')
    await submit()
    await hedy.getByText('The code is wrong').waitFor()
    await hedy.getByLabel('Code', { exact: true }).fill(codeOf(secret, Date.now() + STEP_MS))
    await submit()
    await heading(hedy, 'Home').waitFor()
    await logOut(hedy)
    await enterPassword(hedy, origin, 'hedy')
    await hedy.getByLabel('Code', { exact: true }).fill(recoveryCode)
    await submit()
    await heading(hedy, 'Home').waitFor()
  })

  test('a passkey is added, logs in without a name, and is a second factor', async () => {
    const { origin } = world.site
    await addAuthenticator(hedy)
    await openSecurity(hedy)
    await hedy.getByText('9 left').waitFor()
    await hedy.getByRole('button', { name: 'Add a passkey' }).click()
    await saveName('Add a passkey', 'Laptop')
    await hedy.getByText('Passkey: Laptop').waitFor()
    expect(await violations(hedy), 'passkeys').toEqual([])
    await hedy.getByRole('button', { name: 'Rename the passkey Laptop' }).click()
    await saveName('Rename the passkey', 'Old laptop')
    await hedy.getByText('Passkey: Old laptop').waitFor()
    await logOut(hedy)
    await hedy.getByRole('button', { name: 'Log in with a passkey' }).click()
    await heading(hedy, 'Home').waitFor()
    await logOut(hedy)
    await enterPassword(hedy, origin, 'hedy')
    await hedy.getByRole('button', { name: 'Use a passkey' }).click()
    await heading(hedy, 'Home').waitFor()
  })

  test('a passkey confirms what only a fresh login may do, and a removed one is gone', async () => {
    await openSecurity(hedy)
    await hedy.getByRole('button', { name: 'Remove the passkey Old laptop' }).click()
    await hedy.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click()
    await hedy.getByRole('link', { name: 'Delete' }).click()
    await hedy.getByRole('button', { name: 'Delete my account' }).click()
    const dialog = hedy.getByRole('dialog', { name: 'Confirm that it is you' })
    await dialog.getByLabel('Code', { exact: true }).waitFor()
    expect(await violations(hedy), 'confirmation').toEqual([])
    await dialog.getByRole('button', { name: 'Use a passkey' }).click()
    await hedy.getByText(/^Your account is hidden now/).waitFor()
    await hedy.getByRole('button', { name: 'Log in with a passkey' }).click()
    await hedy.getByText('Your account will not be deleted.').waitFor()
    await openSecurity(hedy)
    await hedy.getByRole('button', { name: 'Remove the passkey Old laptop' }).click()
    await hedy.getByRole('dialog').getByRole('button', { name: 'Remove' }).click()
    await hedy.getByText('Passkey removed').waitFor()
    expect(await hedy.getByText('Passkey: Old laptop').count()).toBe(0)
    await hedy.context().close()
  })
}
