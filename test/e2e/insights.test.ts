import { readFileSync } from 'node:fs'
import type { Page } from 'playwright-core'
import { expect, test } from 'vitest'
import { follow, heading, loggedInAdmin, newUser, openView, writePost } from './actions.ts'
import { violations } from './axe.ts'
import { describeSite } from './site.ts'

const WIDTHS = [
  ['light', 390],
  ['dark', 1280],
] as const

describeSite('insights', (world) => {
  let ada: Page
  let bob: Page

  /** Looks at the page as it is at phone and desktop width. */
  async function look(page: Page, name: string): Promise<void> {
    for (const [colorScheme, width] of WIDTHS) {
      await page.emulateMedia({ colorScheme })
      await page.setViewportSize({ width, height: 900 })
      await page.locator('.uplot canvas').first().waitFor()
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(width)
      const path = `${process.env.SCREENSHOTS}/${name}-${width}.png`
      if (process.env.SCREENSHOTS) await page.screenshot({ path, fullPage: true })
    }
    expect(await violations(page)).toEqual([])
  }

  const cell = (page: Page, title: string, column: number) =>
    page
      .getByRole('region', { name: `${title}: values` })
      .locator('tbody tr')
      .first()
      .locator('td')
      .nth(column)

  test('a like moves the chart of the author without a reload, on the page of all posts and of the post', async () => {
    const { site } = world
    ada = await newUser(site, 'ada', 'Ada Lovelace')
    await writePost(ada, 'The engine weaves algebraic patterns')
    bob = await newUser(site, 'bob', 'Bob Bramwell')
    await follow(bob, 'ada')
    await openView(ada, 'Profile')
    await ada.getByRole('link', { name: 'Insights' }).click()
    await heading(ada, 'Insights').waitFor()
    expect(await cell(ada, 'Likes and comments', 0).textContent()).toBe('0')
    await bob.goto(`${site.origin}/@ada`)
    await bob.getByRole('button', { name: /^Like/ }).first().click()
    await expect.poll(() => cell(ada, 'Likes and comments', 0).textContent()).toBe('1')
    expect(await cell(ada, 'Impressions', 0).textContent()).toBe('<5')
    await openView(ada, 'Notifications')
    await heading(ada, 'Notifications').waitFor()
    await ada.goto(`${site.origin}/insights`)
    await look(ada, 'insights')
    const [file] = await Promise.all([
      ada.waitForEvent('download'),
      ada.getByRole('button', { name: 'Download as CSV' }).click(),
    ])
    expect(file.suggestedFilename()).toBe('socialconnect-insights.csv')
    expect(readFileSync(await file.path(), 'utf8')).toMatch(/^start,.*likes.*\r\n2\d{3}-/)
    await openView(ada, 'Profile')
    await ada.getByText('algebraic patterns').click()
    await ada.getByRole('main').getByRole('link', { name: 'Insights' }).click()
    await heading(ada, 'Insights of a post').waitFor()
    expect(await cell(ada, 'Likes and comments', 0).textContent()).toBe('1')
    await look(ada, 'post-insights')
  })

  test('the page reports the posts that a person saw, after the person agreed and never after declining', async () => {
    const { site } = world
    const reports: unknown[] = []
    bob.on('request', (request) => {
      if (request.url().endsWith('/v1/impressions')) reports.push(request.postDataJSON())
    })
    const visit = async () => {
      await bob.goto(`${site.origin}/@ada`)
      await bob.getByText('algebraic patterns').waitFor()
      await bob.waitForTimeout(6_000)
    }
    const choose = async (name: string) => {
      await bob.goto(`${site.origin}/insights`)
      await bob.getByRole('button', { name }).click()
      await bob.getByRole('button', { name, pressed: true }).waitFor()
    }
    await visit()
    expect(reports).toEqual([])
    await choose('Agree')
    await visit()
    expect(reports).toEqual([{ postIds: [expect.stringMatching(/^\d+$/)], surface: 'profile' }])
    await choose('Decline')
    await visit()
    expect(reports).toHaveLength(1)
  })

  test('an administrator opens the console, and others are told that they may not', async () => {
    const { site } = world
    const { page: admin } = await loggedInAdmin(site, 'grace')
    await admin.goto(`${site.origin}/security`)
    await admin.getByRole('link', { name: 'Console' }).click()
    await heading(admin, 'Console').waitFor()
    await admin.getByText('Active today').waitFor()
    await expect.poll(() => cell(admin, 'Posts and likes', 0).textContent()).toBe('1')
    await look(admin, 'console')
    await bob.goto(`${site.origin}/console`)
    await bob.getByRole('main').getByRole('alert').waitFor()
    expect(site.consoleErrors.filter((text) => !text.includes('403'))).toEqual([])
  })
})
