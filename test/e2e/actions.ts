import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import type { Browser, Locator, Page } from 'playwright-core'
import { expect } from 'vitest'
import { newPage, type Site, verificationLink } from './site.ts'

export const PASSWORD = 'a long enough password'

export const heading = (page: Page, name: string) => page.getByRole('heading', { level: 1, name, exact: true })
export const openView = (page: Page, name: string) => page.getByRole('navigation').getByRole('link', { name }).click()

/** Submits a registration, and waits for the view that says that the email was sent. */
export async function register(page: Page, origin: string, handle: string): Promise<void> {
  await page.goto(origin)
  await page.getByRole('link', { name: 'Create an account' }).click()
  await submitRegistration(page, handle, `${handle}@example.com`)
  await heading(page, 'Check your email').waitFor()
}

export async function submitRegistration(page: Page, handle: string, email: string): Promise<void> {
  await page.getByLabel('Handle').fill(handle)
  await page.getByLabel('Email').fill(email)
  await page.getByLabel('Password', { exact: true }).fill(PASSWORD)
  await page.getByRole('button', { name: 'Create account' }).click()
}

/** Reloads until it is there: what visitors without a login see may be five seconds old. */
export async function reloadUntilShown(locator: Locator): Promise<void> {
  const isShown = () =>
    locator.waitFor({ timeout: 2_000 }).then(
      () => true,
      () => false,
    )
  while (!(await isShown())) await locator.page().reload()
}

export async function confirmPassword(page: Page, password: string): Promise<void> {
  await page.getByLabel('Password', { exact: true }).fill(password)
  await page.getByRole('button', { name: 'Confirm' }).click()
}

/** Opens a page for a new user, who registers, opens the link in the email and sets a display name. */
export async function newUser(site: Site, handle: string, displayName: string): Promise<Page> {
  const page = await newPage(site)
  await register(page, site.origin, handle)
  await page.goto(await verificationLink(site, `${handle}@example.com`))
  await heading(page, 'Home').waitFor()
  expect(page.url()).toBe(`${site.origin}/`)
  await rename(page, displayName)
  await openView(page, 'Home')
  return page
}

export async function logIn(page: Page, origin: string, handle: string): Promise<void> {
  await page.goto(`${origin}/login`)
  await page.getByLabel('Handle or email').fill(handle)
  await page.getByLabel('Password', { exact: true }).fill(PASSWORD)
  await page.getByRole('main').getByRole('button', { name: 'Log in', exact: true }).click()
  await heading(page, 'Home').waitFor()
}

export async function logOut(page: Page): Promise<void> {
  await openView(page, 'Profile')
  await page.getByRole('button', { name: 'Log out' }).click()
  await page.getByRole('form', { name: 'Log in' }).waitFor()
}

export async function rename(page: Page, displayName: string): Promise<void> {
  await openView(page, 'Profile')
  await page.getByRole('button', { name: 'Edit profile' }).click()
  await page.getByLabel('Display name').fill(displayName)
  await page.getByRole('button', { name: 'Save' }).click()
  await page.getByRole('heading', { level: 2, name: displayName }).waitFor()
}

export async function follow(page: Page, handle: string): Promise<void> {
  await page.getByLabel('Handle').fill(handle)
  await page.getByRole('button', { name: 'Follow', exact: true }).click()
  await page.getByRole('button', { name: 'Unfollow' }).waitFor()
}

export async function writePost(page: Page, text: string, image?: { buffer: Buffer; alt: string }): Promise<void> {
  const form = page.getByRole('form', { name: 'New post' })
  await form.getByRole('textbox', { name: 'What’s on your mind?' }).fill(text)
  if (image) {
    const file = { name: 'image.jpg', mimeType: 'image/jpeg', buffer: image.buffer }
    await form.locator('input[type=file]').setInputFiles(file)
    await form.getByLabel(/Describe image 1/).fill(image.alt)
  }
  await form.getByRole('button', { name: 'Post' }).click()
  await page.getByRole('article').filter({ hasText: text }).waitFor()
}

/** Presses the follow or unblock button `name` of a profile, and waits until the `expected` buttons replace it. */
export async function changeRelation(page: Page, name: string, expected: string[]): Promise<void> {
  await page.getByRole('main').getByRole('button', { name, exact: true }).click()
  await expectRelationButtons(page, expected)
}

/** Blocks the account of the open profile: cancels the dialog of the menu once, then confirms it. */
export async function block(page: Page, handle: string): Promise<void> {
  for (const answer of ['Cancel', 'Block']) {
    await page.getByRole('button', { name: 'More' }).click()
    await page.getByRole('button', { name: `Block @${handle}`, exact: true }).click()
    await page.getByRole('dialog').getByRole('button', { name: answer, exact: true }).click()
  }
  await expectRelationButtons(page, ['Unblock'])
}

export async function expectRelationButtons(page: Page, expected: string[]): Promise<void> {
  const buttons = page.getByRole('main').getByRole('button', { name: /^((un)?(block|follow)|more)$/i })
  await expect.poll(() => buttons.allTextContents(), { timeout: 10_000 }).toEqual(expected)
}

/** Returns a JPEG that the browser has rendered. */
export async function drawLandscape(browser: Browser): Promise<Buffer> {
  const page = await browser.newPage({ viewport: { width: 1200, height: 640 } })
  await page.setContent(`
    <style>body { margin: 0 }</style>
    <svg width="1200" height="640">
      <linearGradient id="sky" x2="0" y2="1">
        <stop stop-color="#2b4a86"/><stop offset=".55" stop-color="#e58b73"/><stop offset="1" stop-color="#ffd9a0"/>
      </linearGradient>
      <rect width="1200" height="640" fill="url(#sky)"/>
      <circle cx="820" cy="330" r="62" fill="#fff3d0"/>
      <path d="M0 430 210 250 330 345 520 170 700 380 860 270 1010 400 1200 290V640H0Z" fill="#6d5577" opacity=".8"/>
      <path d="M0 500 160 420 380 520 610 360 820 500 1000 430 1200 520V640H0Z" fill="#43406a"/>
      <path d="M0 580 300 500 560 590 860 510 1200 600V640H0Z" fill="#1f2547"/>
    </svg>`)
  const buffer = await page.screenshot({ type: 'jpeg', quality: 90 })
  await page.close()
  return buffer
}

export async function waitForImage(image: Locator): Promise<void> {
  await image.scrollIntoViewIfNeeded()
  const width = (element: unknown) => (element as { naturalWidth: number }).naturalWidth
  await expect.poll(() => image.evaluate(width), { timeout: 10_000 }).toBeGreaterThan(0)
}

/** The roles of focusable elements that have no accessible name. */
export async function unnamedControls(page: Page): Promise<string[]> {
  const devtools = await page.context().newCDPSession(page)
  const { nodes } = await devtools.send('Accessibility.getFullAXTree')
  const focusable = nodes.filter((node) =>
    node.properties?.some(({ name, value }) => name === 'focusable' && value.value),
  )
  return focusable.filter((node) => !node.ignored && !node.name?.value).map((node) => String(node.role?.value))
}

/** Creates the first administrator as an operator does, and logs in with the password that is printed once. */
export async function loggedInAdmin(site: Site, handle = 'ada'): Promise<{ page: Page; password: string }> {
  const create = ['create', handle, `${handle}@example.com`, '--persist-to', site.stateDir, '--url', site.origin]
  const { stdout } = await promisify(execFile)(process.execPath, ['scripts/admin.ts', ...create])
  const page = await newPage(site)
  await page.goto(`${site.origin}/login`)
  await page.getByLabel('Handle or email').fill(handle)
  const password = /shown only this once: (\S+)/.exec(stdout)![1]!
  await page.getByLabel('Password', { exact: true }).fill(password)
  await page.getByRole('main').getByRole('button', { name: 'Log in', exact: true }).click()
  await heading(page, 'Home').waitFor()
  return { page, password }
}
