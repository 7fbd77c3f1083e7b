import { Secret, TOTP } from 'otpauth'
import type { Page } from 'playwright-core'
import { expect, test } from 'vitest'
import { heading, logOut, newUser, PASSWORD } from './actions.ts'
import { violations } from './axe.ts'
import { openSecurity } from './recovery.ts'
import type { World } from './site.ts'

export const STEP_MS = 30_000
export const codeOf = (secret: string, time = Date.now()) =>
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
export async function addAuthenticator(page: Page): Promise<void> {
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
  let joan: Page
  let secret = ''
  let recoveryCode = ''
  const saveName = async (name: string, value: string) => {
    const form = joan.getByRole('form', { name })
    await form.getByLabel('Name', { exact: true }).fill(value)
    await form.getByRole('button', { name: 'Save' }).click()
  }

  test('an authenticator app is set up with a QR code, and its recovery codes are shown once', async () => {
    joan = await newUser(world.site, 'joan', 'Joan Clarke')
    await openSecurity(joan)
    await joan.getByRole('button', { name: 'Set up an authenticator app' }).click()
    await joan.getByRole('img', { name: 'QR code for an authenticator app' }).waitFor()
    expect(await violations(joan), 'set up').toEqual([])
    secret = (await joan.locator('code.key').textContent()) ?? ''
    const code = joan.getByLabel('Code', { exact: true })
    await code.fill('000000')
    await joan.getByRole('button', { name: 'Turn on' }).click()
    await joan.getByText('The code is wrong.').waitFor()
    await code.fill(codeOf(secret))
    await joan.getByRole('button', { name: 'Turn on' }).click()
    const codes = joan.locator('.recovery-codes li')
    await expect.poll(() => codes.count()).toBe(10)
    expect(await violations(joan), 'recovery codes').toEqual([])
    recoveryCode = (await codes.first().textContent()) ?? ''
    await joan.getByRole('button', { name: 'I kept them' }).click()
    await joan.getByText('10 left').waitFor()
  })

  test('a login asks for a code after the password, and accepts a recovery code', async () => {
    const { origin } = world.site
    await logOut(joan)
    await enterPassword(joan, origin, 'joan')
    expect(await violations(joan), 'second step').toEqual([])
    const submit = () => joan.getByRole('main').getByRole('button', { name: 'Log in', exact: true }).click()
    await joan.getByLabel('Code', { exact: true }).fill('000000')
    await submit()
    await joan.getByText('The code is wrong').waitFor()
    await joan.getByLabel('Code', { exact: true }).fill(codeOf(secret, Date.now() + STEP_MS))
    await submit()
    await heading(joan, 'Home').waitFor()
    await logOut(joan)
    await enterPassword(joan, origin, 'joan')
    await joan.getByLabel('Code', { exact: true }).fill(recoveryCode)
    await submit()
    await heading(joan, 'Home').waitFor()
  })

  test('a passkey is added, logs in without a name, and is a second factor', async () => {
    const { origin } = world.site
    await addAuthenticator(joan)
    await openSecurity(joan)
    await joan.getByText('9 left').waitFor()
    await joan.getByRole('button', { name: 'Add a passkey' }).click()
    await saveName('Add a passkey', 'Laptop')
    await joan.getByText('Passkey: Laptop').waitFor()
    expect(await violations(joan), 'passkeys').toEqual([])
    await joan.getByRole('button', { name: 'Rename the passkey Laptop' }).click()
    await saveName('Rename the passkey', 'Old laptop')
    await joan.getByText('Passkey: Old laptop').waitFor()
    await logOut(joan)
    await joan.getByRole('button', { name: 'Log in with a passkey' }).click()
    await heading(joan, 'Home').waitFor()
    await logOut(joan)
    await enterPassword(joan, origin, 'joan')
    await joan.getByRole('button', { name: 'Use a passkey' }).click()
    await heading(joan, 'Home').waitFor()
  })

  test('a passkey confirms what only a fresh login may do, and a removed one is gone', async () => {
    await openSecurity(joan)
    await joan.getByRole('button', { name: 'Remove the passkey Old laptop' }).click()
    await joan.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click()
    await joan.getByRole('link', { name: 'Delete' }).click()
    await joan.getByRole('button', { name: 'Delete my account' }).click()
    const dialog = joan.getByRole('dialog', { name: 'Confirm that it is you' })
    await dialog.getByLabel('Code', { exact: true }).waitFor()
    expect(await violations(joan), 'confirmation').toEqual([])
    await dialog.getByRole('button', { name: 'Use a passkey' }).click()
    await joan.getByText(/^Your account is hidden now/).waitFor()
    await joan.getByRole('button', { name: 'Log in with a passkey' }).click()
    await joan.getByText('Your account will not be deleted.').waitFor()
    await openSecurity(joan)
    await joan.getByRole('button', { name: 'Remove the passkey Old laptop' }).click()
    await joan.getByRole('dialog').getByRole('button', { name: 'Remove' }).click()
    await joan.getByText('Passkey removed').waitFor()
    expect(await joan.getByText('Passkey: Old laptop').count()).toBe(0)
    await joan.context().close()
  })
}
