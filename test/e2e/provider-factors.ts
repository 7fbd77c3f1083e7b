import type { Page } from 'playwright-core'
import { expect, test } from 'vitest'
import { readLink } from '../../scripts/demo/inbox.ts'
import { heading, logOut, PASSWORD } from './actions.ts'
import { violations } from './axe.ts'
import { addAuthenticator, codeOf, STEP_MS } from './factors.ts'
import { openSecurity } from './recovery.ts'
import { newPage, type World } from './site.ts'

const ADDRESS = 'edith@example.com'

export function providerFactorTests(world: World): void {
  let edith: Page
  let secret = ''
  let recoveryCodes: string[] = []
  const main = () => edith.getByRole('main')
  const code = () => edith.getByLabel('Code', { exact: true })
  const agree = async (act: 'Continue' | 'Confirm') => {
    await edith.getByRole('button', { name: `${act} with Local ID` }).click()
    await edith.getByRole('form', { name: 'Second step' }).waitFor()
  }

  test('a login with a provider asks for the code of the authenticator app of the account', async () => {
    const { site } = world
    site.provider.person = { sub: 'edith', email: ADDRESS, email_verified: true }
    edith = await newPage(site)
    await edith.goto(`${site.origin}/login`)
    await main().getByRole('button', { name: 'Continue with Local ID' }).click()
    await edith.getByText('Local ID has confirmed who you are').waitFor()
    await edith.getByLabel('Handle').fill('edith')
    expect(await violations(edith), 'registration').toEqual([])
    await edith.getByRole('button', { name: 'Create account' }).click()
    await heading(edith, 'Home').waitFor()
    await openSecurity(edith)
    await edith.getByRole('button', { name: 'Set up an authenticator app' }).click()
    secret = (await edith.locator('code.key').textContent()) ?? ''
    await code().fill(codeOf(secret))
    await edith.getByRole('button', { name: 'Turn on' }).click()
    const codes = edith.locator('.recovery-codes li')
    await expect.poll(() => codes.count()).toBe(10)
    recoveryCodes = await codes.allTextContents()
    await edith.getByRole('button', { name: 'I kept them' }).click()

    await logOut(edith)
    await agree('Continue')
    expect(edith.url()).toBe(`${site.origin}/login/callback`)
    expect(await violations(edith), 'second step').toEqual([])
    await code().fill('000000')
    await main().getByRole('button', { name: 'Log in', exact: true }).click()
    await edith.getByText('The code is wrong').waitFor()
    await code().fill(codeOf(secret, Date.now() + STEP_MS))
    await main().getByRole('button', { name: 'Log in', exact: true }).click()
    await heading(edith, 'Home').waitFor()
  })

  test('without a password, the provider and a code together confirm what only a fresh login may do', async () => {
    const { site } = world
    await edith.goto(`${site.origin}/delete-account`)
    await edith.getByRole('button', { name: 'Delete my account' }).click()
    const dialog = edith.getByRole('dialog', { name: 'Confirm that it is you' })
    await dialog.getByRole('button', { name: 'Confirm with Local ID' }).waitFor()
    expect(await dialog.getByLabel('Code', { exact: true }).count()).toBe(0)
    expect(await violations(edith), 'dialog').toEqual([])
    await agree('Confirm')
    await heading(edith, 'Confirm that it is you').waitFor()
    expect(await violations(edith), 'code').toEqual([])
    await code().fill('000000')
    await edith.getByRole('button', { name: 'Continue' }).click()
    await edith.getByText('The code is wrong or was used before').waitFor()
    await code().fill(recoveryCodes[0]!)
    await edith.getByRole('button', { name: 'Continue' }).click()
    await edith.getByText('Local ID has confirmed that it is you').waitFor()
    expect(edith.url()).toBe(`${site.origin}/delete-account`)
  })

  test('a login with a provider accepts a passkey as the second step', async () => {
    await addAuthenticator(edith)
    await openSecurity(edith)
    await edith.getByRole('button', { name: 'Add a passkey' }).click()
    const form = edith.getByRole('form', { name: 'Add a passkey' })
    await form.getByLabel('Name', { exact: true }).fill('Tablet')
    await form.getByRole('button', { name: 'Save' }).click()
    await edith.getByText('Passkey: Tablet').waitFor()
    await logOut(edith)
    await agree('Continue')
    await edith.getByRole('button', { name: 'Use a passkey' }).click()
    await heading(edith, 'Home').waitFor()
  })

  test('an account without a password sets one with a mailed link, which ends the login', async () => {
    const { site } = world
    await openSecurity(edith)
    await edith.getByText('You have none').waitFor()
    await edith.getByRole('button', { name: 'Change password' }).click()
    expect(await violations(edith), 'set a password').toEqual([])
    await edith.getByRole('button', { name: 'Send the link' }).click()
    await edith.getByText('A link is on its way to your address').waitFor()
    await edith.goto(await readLink(site.origin, ADDRESS, 'reset'))
    await edith.getByLabel('New password', { exact: true }).fill(PASSWORD)
    await edith.getByRole('button', { name: 'Save password' }).click()
    await heading(edith, 'Your password was changed').waitFor()
    await edith.getByLabel('Handle or email').fill('edith')
    await edith.getByLabel('Password', { exact: true }).fill(PASSWORD)
    await main().getByRole('button', { name: 'Log in', exact: true }).click()
    await edith.getByRole('form', { name: 'Second step' }).waitFor()
    await code().fill(recoveryCodes[1]!)
    await main().getByRole('button', { name: 'Log in', exact: true }).click()
    await heading(edith, 'Home').waitFor()
    await edith.context().close()
  })
}
