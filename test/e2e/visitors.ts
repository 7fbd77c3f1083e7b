import { expect, test } from 'vitest'
import { heading, logOut, newUser, PASSWORD, reloadUntilShown, submitRegistration, writePost } from './actions.ts'
import { violations } from './axe.ts'
import { newPage, type World } from './site.ts'

const focusedName = 'document.activeElement.name'

export function visitorTests(world: World): void {
  test('the first page says what this is, and shows public posts beside the form, without an account', async () => {
    const { site } = world
    world.ada = await newUser(site, 'ada', 'Ada Lovelace')
    await writePost(world.ada, 'Readable for everyone')
    const visitor = await newPage(site)
    await visitor.goto(site.origin)
    await heading(visitor, 'Posts from the people you choose, newest first').waitFor()
    await reloadUntilShown(visitor.getByRole('region', { name: 'Public posts' }).getByText('Readable for everyone'))
    await visitor.getByRole('form', { name: 'Log in' }).waitFor()
    expect(await violations(visitor)).toEqual([])
    for (const width of [390, 1280]) {
      await visitor.setViewportSize({ width, height: 800 })
      expect(await visitor.evaluate('document.documentElement.scrollWidth')).toBe(width)
      expect((await visitor.getByLabel('Handle or email').boundingBox())!.y).toBeLessThan(600)
    }
    await visitor.context().close()
  })

  test('a form reports its wrong fields itself, moves the focus to the first one, and sends nothing', async () => {
    const { site } = world
    const visitor = await newPage(site)
    let requests = 0
    visitor.on('request', (request) => {
      if (request.method() === 'POST') requests += 1
    })
    await visitor.goto(`${site.origin}/register`)
    await visitor.getByLabel('Handle').fill('zoe')
    await visitor.getByLabel('Email').fill('zoe at example.com')
    await visitor.getByLabel('Password', { exact: true }).fill('too short')
    await visitor.getByRole('button', { name: 'Create account' }).click()
    await visitor.getByText('The email address must have a form such as ada@example.com.').waitFor()
    await visitor.getByText('The password must have at least 15 characters.').waitFor()
    await visitor.getByRole('status').getByText('2 fields need a change').waitFor()
    await expect.poll(() => visitor.evaluate(focusedName)).toBe('email')
    expect(await violations(visitor)).toEqual([])

    await visitor.getByLabel('Email').fill('zoe@example.com')
    await visitor.getByText('The email address must').waitFor({ state: 'detached' })
    await visitor.getByText('The password must have at least 15 characters.').waitFor()
    expect(requests).toBe(0)
    await visitor.context().close()
  })

  test('the button in a password field shows the password until the form is sent', async () => {
    const { site } = world
    const visitor = await newPage(site)
    await visitor.goto(site.origin)
    const box = visitor.getByLabel('Password', { exact: true })
    expect(await box.getAttribute('autocomplete')).toBe('current-password')
    expect(await visitor.getByLabel('Handle or email').getAttribute('autocomplete')).toBe('username')
    await visitor.getByLabel('Handle or email').fill('ada')
    await box.fill('a wrong long password')
    await visitor.getByRole('button', { name: 'Show password' }).click()
    expect(await box.getAttribute('type')).toBe('text')
    await box.press('Enter')
    await visitor.getByRole('alert').getByText('password is wrong.').waitFor()
    expect(await box.getAttribute('type')).toBe('password')
    expect(await visitor.getByLabel('Handle or email').inputValue()).toBe('ada')
    await box.fill(PASSWORD)
    await box.press('Enter')
    await heading(visitor, 'Home').waitFor()
    await logOut(visitor)
    await visitor.context().close()
  })

  test('registration asks for an invitation, the terms and a check for bots exactly where the server demands them', async () => {
    const { site } = world
    const visitor = await newPage(site)
    const rules = { mode: 'open', termsVersion: null, termsUrl: null, turnstileSiteKey: null, minPasswordLength: 20 }
    await visitor.route('**/v1/auth/registration', (route) => route.fulfill({ json: rules }))
    await visitor.route('https://challenges.cloudflare.com/**', (route) => route.fulfill(FAKE_TURNSTILE))
    const sent: unknown[] = []
    await visitor.route('**/v1/auth/register', (route) => {
      sent.push(route.request().postDataJSON())
      return route.fulfill({ status: 202, json: { status: 'verification_sent', registrationToken: 'none' } })
    })
    await visitor.goto(`${site.origin}/register`)
    await visitor.getByText('At least 20 characters.').waitFor()
    expect(await visitor.getByLabel('Invitation').count()).toBe(0)
    expect(await visitor.getByRole('checkbox').count()).toBe(0)

    const terms = { termsVersion: '2026-11', termsUrl: 'https://example.org/terms', turnstileSiteKey: 'key' }
    Object.assign(rules, { mode: 'invitation', ...terms })
    await visitor.reload()
    await visitor.getByText('The check for register has passed').waitFor()
    await submitRegistration(visitor, 'ida', 'ida@example.com')
    await visitor.getByText('The invitation is missing.').waitFor()
    await visitor.getByText('The terms must be accepted.').waitFor()
    expect(await violations(visitor)).toEqual([])
    await visitor.getByLabel('Invitation').fill('code')
    await visitor.getByRole('checkbox').check()
    await visitor.getByRole('button', { name: 'Create account' }).click()
    await heading(visitor, 'Check your email').waitFor()
    const person = { handle: 'ida', email: 'ida@example.com', password: PASSWORD }
    expect(sent).toEqual([{ ...person, invitation: 'code', termsVersion: '2026-11', turnstileToken: 'passed' }])

    rules.mode = 'closed'
    await visitor.goto(`${site.origin}/register`)
    await heading(visitor, 'Registration is closed').waitFor()
    expect(await violations(visitor)).toEqual([])
    expect(site.consoleErrors.filter((error) => error.includes('Content Security Policy'))).toEqual([])
    await visitor.context().close()
  })

  test('after too many wrong passwords, and only then, the form to log in checks for bots', async () => {
    const { site } = world
    const visitor = await newPage(site)
    const rules = { mode: 'open', termsVersion: null, termsUrl: null, turnstileSiteKey: 'key', minPasswordLength: 15 }
    await visitor.route('**/v1/auth/registration', (route) => route.fulfill({ json: rules }))
    await visitor.route('https://challenges.cloudflare.com/**', (route) => route.fulfill(FAKE_TURNSTILE))
    const sent: unknown[] = []
    await visitor.route('**/v1/auth/login', (route) => {
      sent.push(route.request().postDataJSON())
      if (sent.length > 1) return route.fulfill({ status: 401, json: { code: 'invalid_credentials' } })
      return route.fulfill({ status: 403, contentType: 'application/problem+json', body: CHALLENGE })
    })
    await visitor.goto(`${site.origin}/login`)
    await visitor.getByLabel('Handle or email').fill('ada')
    await visitor.getByLabel('Password', { exact: true }).fill(PASSWORD)
    expect(await visitor.getByText('The check for login').count()).toBe(0)
    await visitor.getByLabel('Password', { exact: true }).press('Enter')
    await visitor.getByText('The check for login has passed').waitFor()
    await visitor.getByRole('alert').getByText('Too many wrong passwords').waitFor()
    await visitor.getByLabel('Password', { exact: true }).press('Enter')
    await visitor.getByRole('alert').getByText('password is wrong.').waitFor()
    const credentials = { identifier: 'ada', password: PASSWORD }
    expect(sent).toEqual([credentials, { ...credentials, turnstileToken: 'passed' }])
    await visitor.context().close()
  })
}

const CHALLENGE = JSON.stringify({ status: 403, title: 'Too many wrong passwords', code: 'login_challenge_required' })

const FAKE_TURNSTILE = {
  contentType: 'text/javascript',
  body: `window.turnstile = {
    render(place, { action, callback }) {
      place.textContent = 'The check for ' + action + ' has passed'
      this.reset = () => callback('passed')
      this.reset()
      return 'widget'
    },
  }`,
}
