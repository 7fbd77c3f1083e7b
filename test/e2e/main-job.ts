import type { Page } from 'playwright-core'
import { expect, test, vi } from 'vitest'
import {
  drawLandscape,
  follow,
  heading,
  newUser,
  openView,
  unnamedControls,
  waitForImage,
  writePost,
} from './actions.ts'
import type { World } from './site.ts'

/** Shows the page again, as if it had been hidden, until the condition holds. */
async function looksUntil(page: Page, condition: () => Promise<boolean>): Promise<void> {
  await vi.waitUntil(
    async () => {
      await page.evaluate('document.dispatchEvent(new Event("visibilitychange"))')
      return condition()
    },
    { timeout: 20_000, interval: 500 },
  )
}

export function mainJobTests(world: World): void {
  test('people register and verify their email address', async () => {
    world.ada = await newUser(world.site, 'ada', 'Ada Lovelace')
    world.bob = await newUser(world.site, 'bob', 'Bob Noyce')
  })

  test('a session survives three tabs that load the page at the same time', async () => {
    const { site } = world
    const first = await newUser(site, 'carol', 'Carol Shaw')
    const tabs = [first, await first.context().newPage(), await first.context().newPage()]
    for (let round = 0; round < 3; round++) {
      await Promise.all(tabs.map((tab) => tab.goto(site.origin)))
      await Promise.all(tabs.map((tab) => heading(tab, 'Home').waitFor()))
    }
    await first.context().close()
  })

  test('a follower receives a post with an image live, and the author receives the like live', async () => {
    const { site, ada, bob } = world
    await follow(bob, '@Ada')
    await openView(bob, 'Home')
    await bob.getByText('It’s quiet here').waitFor()
    await ada.getByRole('link', { name: 'Notifications 1 unread' }).waitFor()

    const image = { buffer: await drawLandscape(site.browser), alt: 'Mountains at sunrise' }
    await writePost(ada, 'First light on the #ridge, worth every step. @bob', image)
    const post = bob.getByRole('article').filter({ hasText: 'First light' })
    await post.waitFor()
    await waitForImage(post.getByRole('img', { name: 'Mountains at sunrise' }))

    const like = post.getByRole('button', { name: /^Like/ })
    await like.click()
    expect(await like.getAttribute('aria-pressed')).toBe('true')
    await ada.getByRole('link', { name: 'Notifications 2 unread' }).waitFor()
    await ada.getByRole('button', { name: 'Like, 1 like', exact: true }).waitFor()
  })

  test('the like count leads to the people who like the post, and the profile to the user’s own likes', async () => {
    const { bob } = world
    await bob.getByRole('article').filter({ hasText: 'First light' }).getByText('First light').click()
    await heading(bob, 'Post').waitFor()
    await bob.getByRole('link', { name: '1 like', exact: true }).click()
    await heading(bob, 'Likes').waitFor()
    await bob.getByRole('region', { name: 'People who like this post' }).getByRole('link', { name: '@bob' }).click()
    await bob.getByRole('link', { name: 'Your likes' }).click()
    await bob.getByRole('region', { name: 'Posts that you like' }).getByText('First light').waitFor()
    await openView(bob, 'Home')
  })

  test('viewing notifications marks them as read, and a new comment is listed live with a link to it', async () => {
    const { ada, bob } = world
    await openView(ada, 'Notifications')
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
    await ada.getByRole('link', { name: 'View full thread' }).click()
    await heading(ada, 'Post').waitFor()
  })

  test('an open thread shows new comments that notify nobody', async () => {
    const { ada, bob } = world
    await heading(bob, 'Post').waitFor()
    const box = ada.getByRole('textbox', { name: 'Reply to Ada Lovelace' })
    await box.fill('The one along the river.')
    await box.press('Control+Enter')
    const comment = bob.getByRole('region', { name: 'Comments' }).getByText('along the river')
    await looksUntil(bob, async () => (await comment.count()) > 0)
    await bob.getByRole('link', { name: /^Comment, 2/ }).waitFor()
  })

  test('the notification about a deleted comment disappears from the open list', async () => {
    const { ada, bob } = world
    await openView(ada, 'Notifications')
    const item = ada.getByRole('region', { name: 'Notifications' }).getByText('Never mind')
    const box = bob.getByRole('textbox', { name: 'Reply to Ada Lovelace' })
    await box.fill('Never mind.')
    await box.press('Control+Enter')
    await item.waitFor()
    const comment = bob.getByRole('article').filter({ hasText: 'Never mind' })
    await comment.getByRole('button', { name: 'Delete post' }).click()
    await bob.getByRole('button', { name: 'Delete', exact: true }).click()
    await looksUntil(ada, async () => (await item.count()) === 0)
    await ada.getByRole('region', { name: 'Notifications' }).getByText('Which path').waitFor()
  })

  test('every control has an accessible name, and the Tab key reaches the composer', async () => {
    const { site, bob } = world
    for (const view of ['Home', 'Discover', 'Notifications', 'Profile']) {
      await openView(bob, view)
      await bob.locator('[aria-busy=false]').waitFor()
      expect(await unnamedControls(bob), view).toEqual([])
    }
    await bob.goto(site.origin)
    await bob.getByRole('article').first().waitFor()
    const stops: string[] = []
    while (stops.at(-1) !== 'TEXTAREA' && stops.length < 20) {
      await bob.keyboard.press('Tab')
      stops.push(await bob.evaluate('document.activeElement.tagName'))
    }
    expect(stops.at(-1)).toBe('TEXTAREA')
  })

  test('the console shows no errors and no violations of the content security policy', () => {
    const { site } = world
    expect(site.consoleErrors).toEqual([])
  })

  test.runIf(process.env.UPDATE_SCREENSHOT)('the screenshot of the documentation is updated', async () => {
    const { site, bob } = world
    const grace = await newUser(site, 'grace', 'Grace Hopper')
    await writePost(grace, 'A ship in port is safe, but that is not what ships are built for. #sailing')
    await follow(bob, 'grace')
    await openView(bob, 'Home')
    await bob.setViewportSize({ width: 1200, height: 800 })
    const post = bob.getByRole('article').filter({ hasText: 'A ship in port' })
    await post.getByRole('button', { name: /^Like/ }).click()
    await bob.mouse.move(0, 0)
    await waitForImage(bob.getByRole('img', { name: 'Mountains at sunrise' }))
    await follow(grace, 'bob')
    await bob.getByRole('link', { name: 'Notifications 1 unread' }).waitFor()
    await bob.getByRole('button', { name: 'Dismiss' }).first().waitFor({ state: 'detached' })
    await bob.screenshot({ path: 'docs/screenshot.png' })
  })
}
