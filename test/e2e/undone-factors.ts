import type { Page } from 'playwright-core'
import { expect, test } from 'vitest'
import { readLink, readMail } from '../../scripts/demo/inbox.ts'
import { heading, logIn, newUser, PASSWORD } from './actions.ts'
import { violations } from './axe.ts'
import { addAuthenticator } from './factors.ts'
import { openSecurity } from './recovery.ts'
import { newPage, type World } from './site.ts'

const ADDRESS = 'mary@example.com'

export function undoneFactorTests(world: World): void {
  let mary: Page
  let link = ''

  /** Opens the link of the mail as its owner, who need not be logged in, and presses the button. */
  const undoWith = async (page: Page, address: string) => {
    await page.goto(address)
    await heading(page, 'Remove a new second factor').waitFor()
    expect(page.url()).toBe(`${world.site.origin}/`)
    await page.getByRole('button', { name: 'Remove it' }).click()
  }

  test('a link to undo a second factor that does not hold says so, and changes nothing', async () => {
    const { site } = world
    mary = await newUser(site, 'mary', 'Mary Ross')
    await addAuthenticator(mary)
    await openSecurity(mary)
    await mary.getByRole('button', { name: 'Add a passkey' }).click()
    const form = mary.getByRole('form', { name: 'Add a passkey' })
    await form.getByLabel('Name', { exact: true }).fill('Phone')
    await form.getByRole('button', { name: 'Save' }).click()
    await mary.getByText('Passkey: Phone').waitFor()
    await readMail(site.origin, ADDRESS, /^A passkey was added to @mary/)
    link = await readLink(site.origin, ADDRESS, 'factor')

    const victim = await newPage(site)
    // The page cannot tell a link of another time from one that has expired: test/services/identity/factor-undo.test.ts.
    await undoWith(victim, link.replace(/\.\d+\./, '.1767225600000.'))
    await heading(victim, 'This link no longer works').waitFor()
    expect(await violations(victim), 'dead link').toEqual([])
    await victim.getByRole('main').getByRole('link', { name: 'Log in' }).click()
    await victim.getByRole('form', { name: 'Log in' }).waitFor()
    await victim.context().close()
    await mary.reload()
    await mary.getByText('Passkey: Phone').waitFor()
  })

  test('the link in the mail about a new second factor removes it, ends every login, and works once', async () => {
    const { site } = world
    await mary.getByText('Live', { exact: true }).waitFor()
    const victim = await newPage(site)
    await victim.goto(link)
    await heading(victim, 'Remove a new second factor').waitFor()
    expect(await violations(victim), 'undo').toEqual([])
    await undoWith(victim, link)
    await heading(victim, 'The second factor was removed').waitFor()
    expect(await violations(victim), 'undone').toEqual([])
    await mary.getByText('Your session has expired').waitFor()

    await undoWith(victim, link)
    await heading(victim, 'This link no longer works').waitFor()
    await readMail(site.origin, ADDRESS, /was removed with a link from an email to this address/)
    await victim.goto(await readLink(site.origin, ADDRESS, 'reset'))
    await victim.getByLabel('New password', { exact: true }).fill(PASSWORD)
    await victim.getByRole('button', { name: 'Save password' }).click()
    await heading(victim, 'Your password was changed').waitFor()
    await victim.context().close()
    await logIn(mary, site.origin, 'mary')
    await openSecurity(mary)
    await mary.getByRole('button', { name: 'Add a passkey' }).waitFor()
    expect(await mary.getByText('Passkey: Phone').count()).toBe(0)
    await mary.context().close()
  })
}
