import type { Browser, Page } from 'playwright-core'
import { expect, test, vi } from 'vitest'
import { drawLandscape, heading, newUser, openView } from './actions.ts'
import { violations } from './axe.ts'
import { describeSite } from './site.ts'

const bubble = (page: Page, text: string) => page.getByRole('listitem').filter({ hasText: text }).last()

async function choose(page: Page, text: string, action: string): Promise<void> {
  await bubble(page, text).getByRole('button', { name: 'Actions' }).click()
  await bubble(page, text).getByRole('button', { name: action, exact: true }).click()
}

/** Types until the other page shows it, because a frame of typing is lost while its socket is not open yet. */
async function typingShown(ada: Page, bob: Page): Promise<void> {
  const isShown = async () => {
    await ada.getByLabel('Write a message').press('x')
    return bob.getByText('Writing…').isVisible()
  }
  await vi.waitUntil(isShown, { timeout: 20_000, interval: 500 })
}

/** Ada answers, edits, deletes and sends an image; Bob reacts, searches and mutes. Both see it live. */
async function changeMessages(browser: Browser, ada: Page, bob: Page): Promise<void> {
  await ada.getByText('Read', { exact: true }).waitFor()
  await choose(ada, 'At noon', 'Reply')
  await typingShown(ada, bob)
  await ada.getByLabel('Write a message').fill('By which engine?')
  await ada.getByRole('button', { name: 'Send' }).click()
  await bob.locator('blockquote', { hasText: 'At noon' }).waitFor()
  await choose(bob, 'By which engine?', 'React')
  await bob.getByRole('button', { name: '👍', exact: true }).click()
  await ada.getByRole('button', { name: '👍, 1' }).waitFor()
  await choose(ada, 'See you there', 'Edit')
  await ada.getByLabel('Write a message').fill('See you soon')
  await ada.getByRole('button', { name: 'Save' }).click()
  await bob.getByText('See you soon').waitFor()
  await bob.getByText('Edited', { exact: true }).waitFor()
  const image = { name: 'ridge.jpg', mimeType: 'image/jpeg', buffer: await drawLandscape(browser) }
  await ada.getByLabel('Add images').and(ada.locator('input')).setInputFiles(image)
  await ada.getByRole('button', { name: 'Send' }).click()
  await bob.getByRole('button', { name: /Open image 1 of 1/ }).waitFor()
  await choose(ada, 'By which engine?', 'Delete for everybody')
  await ada.getByRole('button', { name: 'Delete', exact: true }).click()
  await bob.getByText('Deleted message').waitFor()
  await bob.getByLabel('Search these messages').fill('NOON')
  await bob.keyboard.press('Enter')
  await bob.getByRole('region', { name: 'Found messages' }).getByText('At noon').waitFor()
  await choose(bob, 'At noon', 'Pin')
  await bob.getByText('Pinned', { exact: true }).nth(1).waitFor()
  await bob.getByRole('button', { name: 'Pinned' }).click()
  await bob.getByRole('region', { name: 'Pinned messages' }).getByText('At noon').waitFor()
  await bob.getByRole('button', { name: 'Mute', exact: true }).click()
  await bob.getByRole('button', { name: 'For ever' }).click()
  await bob.getByRole('button', { name: 'Muted', exact: true }).waitFor()
}

describeSite('messages', (world) => {
  test('two people write to each other live, a stranger’s message is a request, and a reload shows the same', async () => {
    const { site } = world
    const ada = await newUser(site, 'ada', 'Ada Lovelace')
    const bob = await newUser(site, 'bob', 'Bob Bramwell')
    await ada.goto(`${site.origin}/@bob`)
    await ada.getByRole('button', { name: 'Message' }).click()
    await heading(ada, 'Bob Bramwell').waitFor()
    await ada.getByLabel('Write a message').fill('Dear @bob, shall we meet? https://example.org')
    await ada.getByRole('button', { name: 'Send' }).click()
    await ada.getByText('shall we meet?').waitFor()
    expect(await ada.getByLabel('Write a message').inputValue()).toBe('')

    await openView(bob, 'Messages')
    await bob.getByRole('button', { name: 'Requests (1)' }).click()
    await bob.getByRole('link', { name: /Ada Lovelace/ }).click()
    await bob.getByText('wants to write to you').waitFor()
    await bob.getByRole('button', { name: 'Accept' }).click()
    await bob.getByText('wants to write to you').waitFor({ state: 'detached' })
    await bob.getByLabel('Write a message').fill('At noon, by the engine')
    await bob.getByRole('button', { name: 'Send' }).click()
    await ada.getByText('At noon, by the engine').waitFor()
    await ada.getByLabel('Write a message').fill('See you there')
    await ada.getByRole('button', { name: 'Send' }).click()
    await bob.getByText('See you there').waitFor()
    await bob.reload()
    await bob.getByText('See you there').waitFor()
    await changeMessages(site.browser, ada, bob)
    expect(
      await bob
        .getByRole('listitem')
        .filter({ hasText: /You:|They:/ })
        .count(),
    ).toBe(5)

    const shot = async (page: string) => {
      for (const [colorScheme, width] of [
        ['light', 390],
        ['dark', 1280],
      ] as const) {
        await bob.emulateMedia({ colorScheme })
        await bob.setViewportSize({ width, height: 800 })
        expect(await bob.evaluate('document.documentElement.scrollWidth')).toBe(width)
        if (process.env.SCREENSHOTS) await bob.screenshot({ path: `${process.env.SCREENSHOTS}/${page}-${width}.png` })
      }
      expect(await violations(bob)).toEqual([])
    }
    await shot('conversation')
    await openView(bob, 'Messages')
    await bob.getByRole('link', { name: /Ada Lovelace/ }).waitFor()
    await shot('inbox')
    expect(site.consoleErrors).toEqual([])
  })
})
