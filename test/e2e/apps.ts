import type { Page } from 'playwright-core'
import { expect, test } from 'vitest'
import { fetchInTime } from '../../scripts/fetch-in-time.ts'
import { expectWholeLife } from '../support/strict-client.ts'
import { heading, PASSWORD } from './actions.ts'
import { violations } from './axe.ts'
import { newCaller } from './callers.ts'
import { confirmIfAsked, openSecurity } from './recovery.ts'
import { newPage, type World } from './site.ts'

const REDIRECT = 'http://127.0.0.1:9/cb'

const requestOf = (clientId: string) =>
  new URLSearchParams({
    response_type: 'code',
    client_id: clientId,
    redirect_uri: REDIRECT,
    scope: 'posts:read posts:write accounts:read offline_access',
    state: 'xyz',
    code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
    code_challenge_method: 'S256',
  })

/** Answers for the app, whose address nobody serves. */
const serveApp = (page: Page) => page.route(`${REDIRECT}**`, (route) => route.fulfill({ body: 'Welcome to Kite' }))

async function openApps(page: Page): Promise<void> {
  await openSecurity(page)
  await page.getByRole('link', { name: 'Apps', exact: true }).click()
  await heading(page, 'Apps').waitFor()
}

export function appTests(world: World): void {
  let clientId = ''

  test('a developer registers an app', async () => {
    const { ada } = world
    await openApps(ada)
    await ada.getByRole('button', { name: 'Register an app' }).click()
    const form = ada.getByRole('form', { name: 'Register an app' })
    await form.getByLabel('Name').fill('Kite')
    await form.getByLabel('Redirect addresses').fill('http://kite.example/cb')
    await form.getByRole('button', { name: 'Save' }).click()
    await form.getByText('must begin with https://').waitFor()
    await form.getByLabel('Redirect addresses').fill(REDIRECT)
    await form.getByRole('button', { name: 'Save' }).click()
    clientId = (await ada.getByText(/^\d{10,16}$/).textContent()) ?? ''
    expect(await violations(ada)).toEqual([])
    await ada.getByRole('button', { name: 'Edit Kite' }).click()
    const edited = ada.getByRole('form', { name: 'Edit Kite' })
    await edited.getByLabel('What it does').fill('Shows the wind')
    expect(await violations(ada)).toEqual([])
    await edited.getByRole('button', { name: 'Save' }).click()
    await confirmIfAsked(ada, ada.getByText('App changed'))
    await edited.waitFor({ state: 'detached' })
  })

  test('a person sees what an app asks for, allows it, and removes it', async () => {
    const { ada, site } = world
    await serveApp(ada)
    await ada.goto(`${site.origin}/auth/oauth2/authorize?${requestOf(clientId)}`)
    await heading(ada, 'Allow an app').waitFor()
    const app = ada.getByRole('region', { name: 'Kite' })
    await app.getByText('Publish as you').waitFor()
    await app.getByText('Shows the wind').waitFor()
    expect(await violations(ada)).toEqual([])
    await app.getByRole('button', { name: 'Allow' }).click()
    await confirmIfAsked(ada, ada.getByText('Welcome to Kite'))
    const back = new URL(ada.url()).searchParams
    expect([back.get('state'), back.get('iss'), back.get('code')]).toEqual([
      'xyz',
      `${site.origin}/auth`,
      expect.any(String),
    ])
    await ada.goto(site.origin)
    await openApps(ada)
    await ada.getByRole('button', { name: 'Remove Kite' }).click()
    await ada.getByRole('dialog').getByRole('button', { name: 'Remove' }).click()
    await ada.getByText('No app may act for you.').waitFor()
    expect(await violations(ada)).toEqual([])
  })

  test('a person who is not logged in decides after the login, and can decline', async () => {
    const { site } = world
    const page = await newPage(site)
    await serveApp(page)
    await page.goto(`${site.origin}/auth/oauth2/authorize?${requestOf(clientId)}`)
    await page.getByText('Kite asks to act for you').waitFor()
    await page.getByLabel('Handle or email').fill('ada')
    await page.getByLabel('Password', { exact: true }).fill(PASSWORD)
    await page.getByRole('main').getByRole('button', { name: 'Log in', exact: true }).click()
    await page.getByRole('region', { name: 'Kite' }).getByRole('button', { name: 'Cancel' }).click()
    await page.getByText('Welcome to Kite').waitFor()
    expect(new URL(page.url()).searchParams.get('error')).toBe('access_denied')
    await page.context().close()
  })

  test('a strict client completes discovery, PKCE, refresh, introspection and revocation', async () => {
    const { site } = world
    const kit = await newCaller(site, 'kit')
    const me = (await kit<{ id: string; handle: string }>('GET', '/accounts/me'))!
    const details = { name: 'Strict', redirectUris: [REDIRECT], kind: 'confidential' }
    const app = (await kit<{ id: string; secret: string }>('POST', '/apps', details))!
    const allow = async (request: string) => {
      const json = { request, accountId: me.id }
      return new URL((await kit<{ returnTo: string }>('POST', '/oauth/authorizations', json))!.returnTo)
    }
    const place = { issuer: `${site.origin}/auth`, fetch: fetchInTime, allow, person: me }
    await expectWholeLife(place, { ...app, redirect: REDIRECT }, 'client_secret_basic')
  })

  test('a request with a false address gets a page that returns nowhere', async () => {
    const { ada, site } = world
    const request = requestOf(clientId)
    request.set('redirect_uri', 'http://127.0.0.1:9/other')
    await ada.goto(`${site.origin}/auth/oauth2/authorize?${request}`)
    await heading(ada, 'This app cannot be allowed').waitFor()
    expect(await violations(ada)).toEqual([])
    await ada.emulateMedia({ colorScheme: 'dark' })
    expect(await ada.evaluate("getComputedStyle(document.querySelector('header')).backgroundColor")).toBe(
      'rgb(20, 24, 26)',
    )
    await ada.emulateMedia({ colorScheme: 'light' })
    await ada.goto(site.origin)
  })
}
