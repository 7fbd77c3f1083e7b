import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Browser, chromium, type Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { freePort } from '../crash/server.ts'
import { follow, heading, landscape, loaded, namelessControls, write } from './acts.ts'

const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium'
const quiet = ['--disable-background-networking', '--disable-component-update', '--disable-sync', '--no-first-run']
const args = ['--no-sandbox', '--disable-gpu', '--disable-quic', ...quiet]
const password = 'a long enough password'
const inbox = '/cdn-cgi/local/explorer/api/local/email/sending'

const stateDir = mkdtempSync(join(tmpdir(), 'socialconnect-page-'))
let server: ChildProcess
let browser: Browser
let origin: string
const complaints: string[] = []

if (!existsSync(executablePath)) {
  process.stderr.write(`The page is not tested: there is no ${executablePath}. Install chromium or set CHROMIUM.\n`)
}

describe.skipIf(!existsSync(executablePath))('the page', () => {
  let ada: Page
  let bob: Page

  beforeAll(async () => {
    const port = await freePort()
    origin = `http://127.0.0.1:${port}`
    server = spawn(process.execPath, ['scripts/start.ts', '--port', String(port), '--persist-to', stateDir], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const output: Buffer[] = []
    server.stdout!.on('data', (chunk: Buffer) => output.push(chunk))
    browser = await chromium.launch({ executablePath, args })
    await vi.waitUntil(() => up(output), { timeout: 100_000, interval: 250 })
  })

  afterAll(async () => {
    await browser?.close()
    if (server?.exitCode === null && server.kill('SIGTERM')) await once(server, 'exit')
    rmSync(stateDir, { recursive: true, force: true })
  })

  test('a mail brings newcomers in', async () => {
    ada = await newcomer('ada', 'Ada Lovelace')
    bob = await newcomer('bob', 'Bob Noyce')
  })

  test('a login holds however many tabs open and reload at once', async () => {
    const first = await newcomer('carol', 'Carol Shaw')
    const tabs = [first, await first.context().newPage(), await first.context().newPage()]
    for (let round = 0; round < 3; round++) {
      await Promise.all(tabs.map((tab) => tab.goto(origin)))
      await Promise.all(tabs.map((tab) => heading(tab, 'Home').waitFor()))
    }
    await first.context().close()
  })

  test('a post with an image reaches a follower live, and the like comes back live', async () => {
    await follow(bob, '@Ada')
    await bob.getByRole('link', { name: 'Home' }).click()
    await bob.getByText('It is quiet here').waitFor()
    await ada.getByRole('link', { name: 'Notifications, 1 unread' }).waitFor()

    await write(ada, 'First light on the #ridge, worth every step. @bob', {
      buffer: await landscape(browser),
      alt: 'Mountains at sunrise',
    })
    const post = bob.getByRole('article').filter({ hasText: 'First light' })
    await post.waitFor()
    await loaded(post.getByRole('img', { name: 'Mountains at sunrise' }))

    const like = post.getByRole('button', { name: /^Like/ })
    await like.click()
    expect(await like.getAttribute('aria-pressed')).toBe('true')
    await ada.getByRole('link', { name: 'Notifications, 2 unread' }).waitFor()
    await ada.getByRole('button', { name: 'Like, 1 like', exact: true }).waitFor()
  })

  test('notifications are marked as read when seen, and a comment joins them and the thread live', async () => {
    await ada.getByRole('link', { name: /^Notifications/ }).click()
    const items = ada.getByRole('region', { name: 'Notifications' }).getByRole('article')
    await items.filter({ hasText: 'liked your post' }).waitFor()
    await items.filter({ hasText: 'followed you' }).waitFor()
    await ada.getByRole('link', { name: 'Notifications', exact: true }).waitFor()

    await bob.getByRole('link', { name: /^Comment, 0/ }).click()
    const box = bob.getByRole('textbox', { name: 'Reply to Ada Lovelace' })
    await box.waitFor()
    expect(await bob.evaluate('document.activeElement.tagName')).toBe('TEXTAREA')
    await box.fill('Which path did you take?')
    await box.press('Control+Enter')
    await bob.getByRole('region', { name: 'Comments' }).getByText('Which path').waitFor()
    await items.filter({ hasText: 'commented on your post' }).getByText('Which path').waitFor()
    await ada.getByRole('link', { name: 'commented on your post' }).click()
    await heading(ada, 'Comment').waitFor()
    await ada.getByRole('link', { name: 'See the whole thread' }).click()
    await heading(ada, 'Post').waitFor()
  })

  test('every control has a name, and the keyboard reaches the composer', async () => {
    for (const view of ['Home', 'Discover', 'Notifications', 'Profile']) {
      await bob.getByRole('navigation').getByRole('link', { name: view }).click()
      await bob.locator('[aria-busy=false]').waitFor()
      expect(await namelessControls(bob), view).toEqual([])
    }
    await bob.goto(origin)
    await bob.getByRole('article').first().waitFor()
    const stops: string[] = []
    while (stops.at(-1) !== 'TEXTAREA' && stops.length < 20) {
      await bob.keyboard.press('Tab')
      stops.push(await bob.evaluate('document.activeElement.tagName'))
    }
    expect(stops.at(-1)).toBe('TEXTAREA')
  })

  test('nothing was written to the console: no error, no violation of the content security policy', () => {
    expect(complaints).toEqual([])
  })

  test.runIf(process.env.UPDATE_SCREENSHOT)('its screenshot is taken', async () => {
    const grace = await newcomer('grace', 'Grace Hopper')
    await write(grace, 'A ship in port is safe, but that is not what ships are built for. #sailing')
    await follow(bob, 'grace')
    await bob.getByRole('link', { name: 'Home' }).click()
    await bob.setViewportSize({ width: 1200, height: 800 })
    const post = bob.getByRole('article').filter({ hasText: 'A ship in port' })
    await post.getByRole('button', { name: /^Like/ }).click()
    await bob.mouse.move(0, 0)
    await loaded(bob.getByRole('img', { name: 'Mountains at sunrise' }))
    await follow(grace, 'bob')
    await bob.getByRole('link', { name: 'Notifications, 1 unread' }).waitFor()
    await bob.getByRole('button', { name: 'Dismiss' }).first().waitFor({ state: 'detached' })
    await bob.screenshot({ path: 'docs/screenshot.png' })
  })

  test('a like that fails is taken back, and said', async () => {
    // On the post's own page nothing else reads the post again.
    await bob.getByRole('link', { name: 'Discover' }).click()
    await bob.getByText('First light').click()
    await heading(bob, 'Post').waitFor()
    await bob.getByRole('region', { name: 'Comments' }).getByRole('article').waitFor()
    await bob.route('**/v1/posts/*/like', (route) => route.abort())
    const like = bob.getByRole('article').first().getByRole('button', { name: /^Like/ })
    const before = await like.getAttribute('aria-pressed')
    await like.click()
    await bob.getByRole('alert').getByText('The server cannot be reached').waitFor()
    expect(await like.getAttribute('aria-pressed')).toBe(before)
  })

  test('what went wrong is said once, in a sentence, and for as long as it holds', async () => {
    const form = bob.getByRole('main').getByRole('form', { name: 'Find people' })
    await bob.setViewportSize({ width: 390, height: 844 })
    await bob.getByRole('link', { name: 'Discover' }).click()
    await form.getByLabel('Handle').fill('nobody_at_all')
    await form.getByRole('button', { name: 'Follow' }).click()
    await form.getByText('The handle belongs to nobody.').waitFor()
    expect(await form.getByRole('alert').textContent()).toBe('')
    expect(await bob.evaluate('document.activeElement.name')).toBe('handle')
    await form.getByLabel('Handle').fill('bob')
    await form.getByText('The handle belongs to nobody.').waitFor({ state: 'detached' })
    await form.getByRole('button', { name: 'Follow' }).click()
    await form.getByRole('alert').getByText('The account is your own.', { exact: true }).waitFor()

    await bob.getByRole('link', { name: 'Home' }).click()
    const post = bob.getByRole('form', { name: 'New post' })
    const file = { name: 'image.png', mimeType: 'image/png', buffer: Buffer.from('no image') }
    await post.locator('input[type=file]').setInputFiles(file)
    await post.getByRole('button', { name: 'Post' }).click()
    const alert = post.getByRole('alert').getByText('The file must be a JPEG, PNG, GIF or WebP image.')
    await alert.waitFor()
    await post.getByRole('button', { name: 'Remove image 1' }).click()
    await alert.waitFor({ state: 'detached' })
  })

  test('a handle that is taken is said beside it, and a profile that is not there is told like any other address', async () => {
    const stranger = await (await browser.newContext()).newPage()
    await stranger.goto(`${origin}/register`)
    await fillRegistration(stranger, 'ada', 'ada.again@example.com')
    await stranger.getByText('The handle is taken.').waitFor()
    await expect.poll(() => stranger.evaluate('document.activeElement.name')).toBe('handle')
    expect(await stranger.getByLabel('Handle').getAttribute('aria-invalid')).toBe('true')

    await stranger.goto(`${origin}/@nobody`)
    await heading(stranger, 'There is nothing here').waitFor()
    await stranger.goto(`${origin}/@ada`)
    await heading(stranger, 'Profile').waitFor()
    expect(stranger.url()).toBe(`${origin}/@ada`)
    for (const odd of ['%E0%A4%A', 'posts/..%2Faccounts']) {
      await stranger.goto(`${origin}/${odd}`)
      await heading(stranger, 'Log in').waitFor()
    }
    await stranger.context().close()
  })

  test('a phone tells of a lost connection, and of what came of it, until it is back', async () => {
    await bob.getByRole('link', { name: 'Discover' }).click()
    const form = bob.getByRole('main').getByRole('form', { name: 'Find people' })
    const sign = bob.getByText('Reconnecting…').filter({ visible: true })
    await bob.context().setOffline(true)
    await sign.waitFor()
    await form.getByLabel('Handle').fill('ada')
    await form.getByRole('button', { name: 'View profile' }).click()
    const failure = form.getByRole('alert').getByText('The server cannot be reached')
    await failure.waitFor()
    await bob.context().setOffline(false)
    await sign.waitFor({ state: 'detached' })
    await failure.waitFor({ state: 'detached' })
  })

  test('no ticket is asked for before the server wants to be asked again', async () => {
    const asked: number[] = []
    await bob.route('**/v1/realtime/tickets', async (route) => {
      asked.push(performance.now())
      await route.fulfill({ status: 429, headers: { 'retry-after': '3' } })
    })
    await bob.reload()
    await expect.poll(() => asked.length, { timeout: 20_000 }).toBe(2)
    expect(asked[1]! - asked[0]!).toBeGreaterThan(2_900)
  })

  test('a post may be as long as the server says, and one word of a name never widens the page', async () => {
    await bob.route('**/v1/limits', (route) => route.fulfill({ json: { postLength: 280, postImages: 1 } }))
    await bob.goto(origin)
    await bob.getByText('280 characters left').waitFor()

    const name = `Zoë 🦊 ${'W'.repeat(40)}`
    await bob.getByRole('link', { name: 'Profile', exact: true }).click()
    await bob.getByRole('button', { name: 'Edit profile' }).click()
    await bob.getByLabel('Name').fill(name)
    await bob.getByRole('button', { name: 'Save' }).click()
    await bob.getByRole('heading', { level: 2, name }).waitFor()
    expect(await bob.evaluate('document.documentElement.scrollWidth')).toBe(390)
  })

  test('an account’s page shows at once what is done there, and the server agrees', async () => {
    const relations = bob.getByRole('main').getByRole('button')
    const press = (name: string) => relations.filter({ hasText: new RegExp(`^${name}$`) }).click()
    const offered = (...names: string[]) =>
      expect
        .poll(async () => (await relations.allTextContents()).filter((name) => /block|follow/i.test(name)))
        .toEqual(names)
    await bob.goto(`${origin}/@ada`)
    await offered('Block', 'Unfollow')
    await press('Unfollow')
    await offered('Block', 'Follow')
    await bob.reload()
    await offered('Block', 'Follow')
    await press('Follow')
    await offered('Block', 'Unfollow')

    await press('Block')
    await bob.getByRole('dialog').getByRole('button', { name: 'Block' }).click()
    await offered('Unblock')
    await bob.reload()
    await offered('Unblock')
    await bob.getByRole('link', { name: 'Profile', exact: true }).click()
    await bob.getByRole('link', { name: 'Blocked accounts' }).click()
    await bob.getByRole('link', { name: /Ada Lovelace/ }).waitFor()
    await bob.getByRole('button', { name: 'Unblock Ada Lovelace' }).click()
    await bob.getByText('You block nobody.').waitFor()
    await bob.goto(`${origin}/@ada`)
    await offered('Block', 'Follow')
    await press('Block')
    await bob.getByRole('dialog').getByRole('button', { name: 'Block' }).click()
    await offered('Unblock')
    await press('Unblock')
    await offered('Block', 'Follow')
    await bob.reload()
    await offered('Block', 'Follow')
  })

  test('a post whose answer was lost is published once', async () => {
    const keys: (string | undefined)[] = []
    await ada.getByRole('link', { name: 'Home' }).click()
    await ada.route('**/v1/posts', async (route) => {
      keys.push(route.request().headers()['idempotency-key'])
      if (keys.length > 1) return route.continue()
      await route.fetch()
      await route.abort()
    })
    await write(ada, 'Said once')
    await expect.poll(() => ada.getByRole('textbox').first().inputValue(), { timeout: 10_000 }).toBe('')
    await ada.reload()
    await ada.getByText('Said once').waitFor()
    expect(await ada.getByText('Said once').count()).toBe(1)
    expect(keys).toEqual([expect.stringMatching(/^\w{32}$/), keys[0]])
  })

  test('the link of a mail waits for the password, and takes the right one alone, whoever is logged in', async () => {
    const dora = await stranger()
    await signUp(dora, 'dora')
    const sent: string[] = []
    ada.on('request', (request) => request.url().endsWith('/auth/verify') && sent.push(request.postData()!))
    await ada.goto(await verificationLink('dora@example.com'))
    await heading(ada, 'Confirm your address').waitFor()
    expect(ada.url()).toBe(`${origin}/`)
    await ada.getByRole('link', { name: 'Profile', exact: true }).waitFor()
    expect(sent).toEqual([])

    const box = ada.getByLabel('Password')
    expect(await box.getAttribute('autocomplete')).toBe('current-password')
    await confirm(ada, 'another long password')
    await ada.getByText('Does not match; try again').waitFor()
    await expect.poll(() => box.evaluate('document.activeElement.name')).toBe('password')
    expect(await box.getAttribute('aria-invalid')).toBe('true')
    expect(sent).toHaveLength(1)

    await confirm(ada, password)
    await heading(ada, 'Home').waitFor()
    await ada.getByRole('link', { name: 'Your profile, @dora' }).waitFor()
  })
})

/** A page in a browser context of its own. */
async function stranger(): Promise<Page> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 } })
  const page = await context.newPage()
  page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()))
  page.on('pageerror', (error) => complaints.push(String(error)))
  return page
}

async function signUp(page: Page, handle: string): Promise<void> {
  await page.goto(origin)
  await page.getByRole('link', { name: 'Create an account' }).click()
  await fillRegistration(page, handle, `${handle}@example.com`)
  await heading(page, 'We sent you a mail').waitFor()
}

async function confirm(page: Page, password: string): Promise<void> {
  await page.getByLabel('Password').fill(password)
  await page.getByRole('button', { name: 'Confirm' }).click()
}

/** Registers someone, by the link in the mail, and gives them a name. */
async function newcomer(handle: string, name: string): Promise<Page> {
  const page = await stranger()
  await signUp(page, handle)
  await page.goto(await verificationLink(`${handle}@example.com`))
  await confirm(page, password)
  await heading(page, 'Home').waitFor()
  expect(page.url()).toBe(`${origin}/`)
  await page.getByRole('link', { name: 'Profile', exact: true }).click()
  await page.getByRole('button', { name: 'Edit profile' }).click()
  await page.getByLabel('Name').fill(name)
  await page.getByRole('button', { name: 'Save' }).click()
  await page.getByRole('heading', { level: 2, name }).waitFor()
  await page.getByRole('link', { name: 'Home' }).click()
  return page
}

async function fillRegistration(page: Page, handle: string, email: string): Promise<void> {
  await page.getByLabel('Handle').fill(handle)
  await page.getByLabel('Email').fill(email)
  await page.getByLabel('Password').fill(password)
  await page.getByRole('button', { name: 'Create account' }).click()
}

/** The link in the mail that the local inbox holds for an address. */
async function verificationLink(address: string): Promise<string> {
  const arrived = async () => {
    const sent = await ask<{ messageId: string; to: string[] }[]>(inbox)
    return sent.find(({ to }) => to.includes(address))
  }
  const mail = await vi.waitUntil(arrived, { timeout: 30_000, interval: 100 })
  const { text } = await ask<{ text: string }>(`${inbox}?email_id=${encodeURIComponent(mail.messageId)}`)
  return /http\S+verify=\S+/.exec(text)![0]
}

async function ask<T>(path: string): Promise<T> {
  const answer = await fetch(origin + path)
  return ((await answer.json()) as { result: T }).result
}

/** Whether the server answers. Throws what it said when it has given up. */
async function up(output: Buffer[]): Promise<boolean> {
  if (server.exitCode !== null) throw new Error(Buffer.concat(output).toString())
  const answer = await fetch(`${origin}/healthz`).catch(() => undefined)
  return answer?.ok ?? false
}
