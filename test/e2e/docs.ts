import type { Locator, Page } from 'playwright-core'
import { expect, test } from 'vitest'
import { PASSWORD } from './actions.ts'
import { newPage, type World } from './site.ts'

/** The page refreshes its token a minute before it expires. A token is valid for an hour. */
const REFRESHED_AFTER_MS = 59 * 60_000

const operation = (page: Page, id: string) => page.locator(`[id$="-${id}"].opblock`)

async function openDocs({ site }: World): Promise<Page> {
  const page = await newPage(site)
  await page.clock.install()
  await page.goto(`${site.origin}/docs/`)
  await operation(page, 'register').waitFor()
  return page
}

async function logIn(page: Page, handle: string, password: string): Promise<void> {
  const form = page.getByRole('form', { name: 'Log in' })
  await form.getByLabel('Handle or email').fill(handle)
  await form.getByLabel('Password').fill(password)
  await form.getByRole('button', { name: 'Log in' }).click()
}

/** Swagger UI renders only the operations near those that are visible. */
async function reveal(page: Page, block: Locator): Promise<void> {
  await page.mouse.move(600, 600)
  const scrolled = async () => {
    if ((await block.count()) === 0) await page.mouse.wheel(0, 400)
    return block.count()
  }
  await expect.poll(scrolled, { timeout: 30_000 }).toBe(1)
}

/** Runs an operation that needs no input, and returns what the page shows as its response. */
async function execute(page: Page, id: string): Promise<string> {
  const block = operation(page, id)
  await reveal(page, block)
  if (!(await block.getByRole('button', { name: 'Execute' }).isVisible()))
    await block.getByRole('button').first().click()
  await block.getByRole('button', { name: 'Execute' }).click()
  return (await block.locator('.live-responses-table .response').textContent()) ?? ''
}

export function docsTests(world: World): void {
  test.each([
    [1280, 900],
    [390, 844],
  ])('the API documentation shows operations on the first screen of %i x %i', async (width, height) => {
    const page = await openDocs(world)
    await page.setViewportSize({ width, height })
    const box = await operation(page, 'readRegistration').boundingBox()
    expect(box!.y + box!.height).toBeLessThan(height)
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(width)
    expect(await page.getByText('Every error is a problem document').isVisible()).toBe(false)
    await page.locator('.info summary').click()
    expect(await page.getByText('Every error is a problem document').isVisible()).toBe(true)
    await page.context().close()
  })

  test('after a login in the API documentation, operations run as that account until the logout', async () => {
    const page = await openDocs(world)
    await logIn(page, 'ada', `not ${PASSWORD}`)
    await page.getByRole('status').getByText('The name, password or token is wrong').waitFor()
    await logIn(page, '@ada', PASSWORD)
    await page.getByText('Requests use the account @ada').waitFor()
    expect(await execute(page, 'getMe')).toMatch(/^200.*"handle": "ada"/s)
    const renewed = page.waitForResponse('**/v1/auth/refresh')
    await page.clock.fastForward(REFRESHED_AFTER_MS)
    expect((await renewed).status()).toBe(200)
    await page.getByRole('button', { name: 'Log out', exact: true }).click()
    await page.getByRole('form', { name: 'Log in' }).waitFor()
    await reveal(page, operation(page, 'getMe'))
    await operation(page, 'getMe').getByRole('button', { name: 'Clear' }).click()
    expect(await execute(page, 'getMe')).toMatch(/^401/)
    expect(world.site.consoleErrors.filter((text) => text.includes('Content Security Policy'))).toEqual([])
    await page.context().close()
  })

  test('the API documentation follows the color scheme of the browser', async () => {
    const page = await openDocs(world)
    const background = () => page.evaluate('getComputedStyle(document.documentElement).backgroundColor')
    const before = await background()
    await page.emulateMedia({ colorScheme: 'dark' })
    await expect.poll(background).toBe('rgb(28, 32, 34)')
    await page.emulateMedia({ colorScheme: 'light' })
    await expect.poll(background).toBe(before)
    await page.context().close()
  })
}
