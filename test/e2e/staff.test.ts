import type { Page } from 'playwright-core'
import { expect, test } from 'vitest'
import { heading, loggedInAdmin, logIn, PASSWORD, register, submitRegistration } from './actions.ts'
import { violations } from './axe.ts'
import { loggedInCaller } from './callers.ts'
import { describeSite, newPage, verificationLink } from './site.ts'

describeSite(
  'the pages of the staff',
  (world) => {
    let admin: Page
    let adminPassword = ''

    test('a registration waits until an administrator approves it', async () => {
      const { site } = world
      const bob = await newPage(site)
      await register(bob, site.origin, 'bob')
      await bob.goto(await verificationLink(site, 'bob@example.com'))
      await heading(bob, 'Your email is confirmed').waitFor()
      ;({ page: admin, password: adminPassword } = await loggedInAdmin(site))
      await admin.goto(`${site.origin}/registrations`)
      await heading(admin, 'Registrations').waitFor()
      await admin.getByText('@bob', { exact: true }).waitFor()
      expect(await violations(admin)).toEqual([])
      await admin.getByRole('button', { name: 'Approve @bob' }).click()
      await admin.getByText('Nobody waits for approval.').waitFor()
      await logIn(bob, site.origin, 'bob')
      await bob.goto(`${site.origin}/access`)
      await bob.getByRole('main').getByRole('alert').waitFor()
    })

    test('an administrator makes a role, gives it and a grant to an account, and is told why the account may act', async () => {
      const { site } = world
      await admin.goto(`${site.origin}/access`)
      await heading(admin, 'Access').waitFor()
      await admin.getByRole('button', { name: 'Make a role' }).click()
      const role = admin.getByRole('form', { name: 'Make a role' })
      await role.getByLabel('Name').fill('editor')
      await role.getByLabel(/posts:edit/).check()
      await role.getByRole('button', { name: 'Save' }).click()
      await admin.getByText('Role editor saved').waitFor()

      const find = admin.getByRole('form', { name: 'Find an account' })
      await find.getByLabel('Handle').fill('bob')
      await find.getByRole('button', { name: 'Show' }).click()
      const why = async (answer: string) => {
        await admin.getByRole('form', { name: 'Ask why' }).getByRole('button', { name: 'Ask' }).click()
        await admin.getByText(answer, { exact: true }).waitFor()
      }
      await why('No.')
      const roles = admin.getByRole('form', { name: 'Roles of the account' })
      await roles.getByLabel('editor').check()
      await roles.getByRole('button', { name: 'Save roles' }).click()
      await admin.getByText(/^Saved/).waitFor()
      await why('Yes.')

      const grant = admin.getByRole('form', { name: 'Give a grant' })
      await grant.getByLabel('On', { exact: true }).fill('post:456')
      await grant.getByLabel('Until').fill('2099-01-31')
      await grant.getByRole('button', { name: 'Give grant' }).click()
      await admin.getByText('posts:edit on post:456').waitFor()
      expect(await violations(admin)).toEqual([])
      await admin.getByRole('button', { name: 'Revoke posts:edit on post:456' }).click()
      await admin.getByText('The account has no grants.').waitFor()

      await admin.getByRole('button', { name: 'Delete editor' }).click()
      await admin.getByRole('dialog').getByRole('button', { name: 'Delete' }).click()
      await admin.getByText('Role editor deleted').waitFor()
      expect(site.consoleErrors.filter((text) => text.includes('Content Security Policy'))).toEqual([])
    })

    test('a suspended person logs in to take a copy of the data and to delete the account, and can do nothing else', async () => {
      const { site } = world
      const staff = await loggedInCaller(site, 'ada', adminPassword)
      const { id } = (await staff<{ id: string }>('GET', '/handles/bob'))!
      await staff('PUT', `/accounts/${id}/suspension`)
      const bob = await newPage(site)
      await bob.goto(`${site.origin}/login`)
      await bob.getByLabel('Handle or email').fill('bob')
      await bob.getByLabel('Password', { exact: true }).fill(PASSWORD)
      await bob.getByRole('main').getByRole('button', { name: 'Log in', exact: true }).click()
      await heading(bob, 'Your account is suspended').waitFor()
      for (const width of [390, 1280]) {
        await bob.setViewportSize({ width, height: 900 })
        expect(await violations(bob), `${width} wide`).toEqual([])
      }
      await bob.goto(`${site.origin}/notifications`)
      await heading(bob, 'Your account is suspended').waitFor()
      await bob.getByRole('button', { name: 'Request a copy' }).click()
      await bob.getByText('Requested on').waitFor()
      await bob.getByRole('button', { name: 'Delete my account' }).click()
      const dialog = bob.getByRole('dialog', { name: 'Confirm that it is you' })
      await dialog.getByLabel('Password', { exact: true }).fill(PASSWORD)
      await dialog.getByRole('button', { name: 'Continue' }).click()
      await bob.getByText(/^Your account is hidden now/).waitFor()
    })
  },
  { variables: { REGISTRATION: 'approval' } },
)

describeSite(
  'the page of invitations',
  (world) => {
    test('a member invites somebody, who registers with the code, and revokes another invitation', async () => {
      const { site } = world
      const { page: host } = await loggedInAdmin(site)
      await host.goto(`${site.origin}/invitations`)
      await heading(host, 'Invitations').waitFor()
      await host.getByRole('link', { name: 'Invitations', exact: true }).waitFor()
      const invite = async () => {
        const former = (await host.getByRole('status').locator('code').allTextContents()).join()
        await host.getByRole('button', { name: 'Create an invitation' }).click()
        const code = host.getByRole('status').locator('code')
        await expect.poll(() => code.textContent()).not.toBe(former)
        return (await code.textContent()) ?? ''
      }
      const code = await invite()
      expect(await violations(host)).toEqual([])
      const guest = await newPage(site)
      const enter = async (typed: string) => {
        await guest.getByLabel('Invitation').fill(typed)
        await submitRegistration(guest, 'guest', 'guest@example.com')
      }
      await guest.goto(`${site.origin}/register`)
      await enter('made-up')
      await guest.getByText(/^The invitation must be the code/).waitFor()
      await enter(code)
      await heading(guest, 'Check your email').waitFor()
      await guest.goto(await verificationLink(site, 'guest@example.com'))
      await heading(guest, 'Home').waitFor()
      await invite()
      const rows = host.getByRole('region', { name: 'Your invitations' }).getByRole('listitem')
      await rows.filter({ hasText: 'Used' }).waitFor()
      await rows.getByRole('button', { name: 'Revoke' }).click()
      await host.getByText('Invitation revoked').waitFor()
      await expect.poll(() => rows.count()).toBe(1)
    })
  },
  { variables: { REGISTRATION: 'invitation' } },
)
