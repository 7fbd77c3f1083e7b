import type { Browser, Locator, Page } from 'playwright-core'
import { expect } from 'vitest'

export const heading = (page: Page, name: string) => page.getByRole('heading', { level: 1, name, exact: true })

export async function follow(page: Page, handle: string): Promise<void> {
  await page.getByLabel('Handle').fill(handle)
  await page.getByRole('button', { name: 'Follow', exact: true }).click()
  await page.getByRole('button', { name: 'Unfollow' }).waitFor()
}

export async function write(page: Page, text: string, image?: { buffer: Buffer; alt: string }): Promise<void> {
  const form = page.getByRole('form', { name: 'New post' })
  await form.getByRole('textbox', { name: 'What is on your mind?' }).fill(text)
  if (image) {
    const file = { name: 'image.jpg', mimeType: 'image/jpeg', buffer: image.buffer }
    await form.locator('input[type=file]').setInputFiles(file)
    await form.getByLabel(/Describe image 1/).fill(image.alt)
  }
  await form.getByRole('button', { name: 'Post' }).click()
  await page.getByRole('article').filter({ hasText: text }).waitFor()
}

/** A JPEG, drawn by the browser. */
export async function landscape(browser: Browser): Promise<Buffer> {
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

export async function loaded(image: Locator): Promise<void> {
  await image.scrollIntoViewIfNeeded()
  const width = (element: unknown) => (element as { naturalWidth: number }).naturalWidth
  await expect.poll(() => image.evaluate(width), { timeout: 10_000 }).toBeGreaterThan(0)
}

/** The roles of what can take the focus but says nothing of itself to a screen reader. */
export async function namelessControls(page: Page): Promise<string[]> {
  const devtools = await page.context().newCDPSession(page)
  const { nodes } = await devtools.send('Accessibility.getFullAXTree')
  const focusable = nodes.filter((node) =>
    node.properties?.some(({ name, value }) => name === 'focusable' && value.value),
  )
  return focusable.filter((node) => !node.ignored && !node.name?.value).map((node) => String(node.role?.value))
}
