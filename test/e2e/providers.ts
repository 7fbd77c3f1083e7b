import type { Page } from 'playwright-core'
import { expect, test } from 'vitest'
import { heading, logOut, newUser } from './actions.ts'
import { newPage, verificationLink, type World } from './site.ts'

const agree = (page: Page) => page.getByRole('main').getByRole('button', { name: 'Continue with Local ID' }).click()
const choose = async (page: Page, handle: string) => {
  await page.getByLabel('Handle').fill(handle)
  await page.getByRole('button', { name: 'Create account' }).click()
}

export function providerTests(world: World): void {
  test('people register with a provider, and log in with it later, without a password', async () => {
    const { site } = world
    const { provider } = site
    provider.person = { sub: 'grace', email: 'grace@example.com', email_verified: true, preferred_username: 'grace.h' }
    const page = await newPage(site)
    await page.goto(`${site.origin}/register`)
    await agree(page)
    await page.getByText('Local ID has confirmed who you are').waitFor()
    expect(page.url()).toBe(`${site.origin}/login/callback`)
    expect(await page.getByLabel('Handle').inputValue()).toBe('grace_h')
    await page.getByText('Emails go to grace@example.com').waitFor()
    await choose(page, 'grace_h')
    await heading(page, 'Home').waitFor()
    await logOut(page)
    await page.goto(`${site.origin}/login`)
    await agree(page)
    await heading(page, 'Home').waitFor()
    await page.getByRole('link', { name: /^Your profile: .*@grace_h$/ }).waitFor()
    await page.context().close()
  })

  test('an address that the provider has not verified is verified by email, in the same browser', async () => {
    const { site } = world
    site.provider.person = { sub: 'hedy', email: 'hedy@example.com', email_verified: false }
    const page = await newPage(site)
    await page.goto(`${site.origin}/login`)
    await agree(page)
    await choose(page, 'hedy')
    await heading(page, 'Check your email').waitFor()
    await page.goto(await verificationLink(site, 'hedy@example.com'))
    await heading(page, 'Home').waitFor()
    await page.context().close()
  })

  test('a callback that this tab did not start, and a refusal at the provider, log nobody in', async () => {
    const { site } = world
    const page = await newPage(site)
    await page.goto(`${site.origin}/login/callback?code=stolen&state=stolen`)
    await page.getByText('was not started in this tab').waitFor()
    expect(page.url()).toBe(`${site.origin}/login/callback`)
    await page.getByRole('main').getByRole('link', { name: 'Log in' }).click()
    await page.route('**/authorize?*', (route) =>
      route.fulfill({ status: 302, headers: { location: `${site.origin}/login/callback?error=access_denied` } }),
    )
    await agree(page)
    await page.getByText('You did not agree at Local ID').waitFor()
    await page.context().close()
  })

  test('people link a provider in the settings, log in with it, and unlink it', async () => {
    const { site } = world
    site.provider.person = { sub: 'ida', email: 'ida-at-work@example.com', email_verified: true }
    const page = await newUser(site, 'ida', 'Ida Rhodes')
    await page.goto(`${site.origin}/security`)
    const region = page.getByRole('region', { name: 'Other ways to log in' })
    await region.getByRole('button', { name: 'Link Local ID' }).click()
    await page.getByText('Local ID was linked to your account').waitFor()
    await region.getByText('Linked on').waitFor()
    expect(page.url()).toBe(`${site.origin}/security`)
    await logOut(page)
    await agree(page)
    await page.getByRole('link', { name: /^Your profile: .*@ida$/ }).waitFor()
    await page.goto(`${site.origin}/security`)
    await region.getByRole('button', { name: 'Unlink Local ID' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Unlink' }).click()
    await page.getByText('Local ID was unlinked').waitFor()
    expect(await region.getByRole('listitem').count()).toBe(0)
    await page.context().close()
  })
}
