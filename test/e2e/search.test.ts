import type { Page } from 'playwright-core'
import { expect, test } from 'vitest'
import { heading, newUser, writePost } from './actions.ts'
import { violations } from './axe.ts'
import { describeSite } from './site.ts'

const fieldOf = (page: Page) => page.getByLabel('Search posts, people and hashtags')

/** Types until the events of a new post have arrived in the index. */
async function searchUntilFound(page: Page, text: string, title: string): Promise<void> {
  await expect
    .poll(
      async () => {
        await fieldOf(page).fill('')
        await fieldOf(page).fill(text)
        const found = page.getByRole('heading', { name: title }).waitFor({ timeout: 2_000 })
        return found.then(() => true).catch(() => false)
      },
      { timeout: 20_000 },
    )
    .toBe(true)
}

async function expectFits(page: Page, name: string): Promise<void> {
  for (const [colorScheme, width] of [
    ['light', 390],
    ['dark', 1280],
  ] as const) {
    await page.emulateMedia({ colorScheme })
    await page.setViewportSize({ width, height: 800 })
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(width)
    if (process.env.SCREENSHOTS) await page.screenshot({ path: `${process.env.SCREENSHOTS}/${name}-${width}.png` })
  }
  expect(await violations(page)).toEqual([])
}

describeSite('search', (world) => {
  test('posts, people and hashtags are found while typing, and a followed hashtag fills the home feed', async () => {
    const { site } = world
    const ada = await newUser(site, 'ada', 'Ada Lovelace')
    const bob = await newUser(site, 'bob', 'Bob Bramwell')
    await writePost(ada, 'Notes on #engines and tea')
    await bob.goto(`${site.origin}/discover`)
    await searchUntilFound(bob, 'engines', 'Hashtags')
    await bob.getByText('Notes on').waitFor()
    await expectFits(bob, 'search')
    await searchUntilFound(bob, 'ada love', 'People')
    await bob
      .getByRole('link', { name: /Ada Lovelace/ })
      .first()
      .waitFor()
    await searchUntilFound(bob, 'engines', 'Hashtags')
    await bob.getByRole('link', { name: '#engines' }).first().click()
    await heading(bob, '#engines').waitFor()
    await bob.locator('#main').getByRole('button', { name: 'Follow' }).click()
    await bob.locator('#main').getByRole('button', { name: 'Unfollow' }).waitFor()
    await expectFits(bob, 'tag')
    await bob.goto(`${site.origin}/`)
    await bob.getByText('Notes on').waitFor()
    expect(site.consoleErrors).toEqual([])
  })
})
