import type { Page } from 'playwright-core'
import { expect, test } from 'vitest'
import {
  changeRelation,
  drawLandscape,
  heading,
  newUser,
  openView,
  register,
  waitForImage,
  writePost,
} from './actions.ts'
import { tabThrough, violations } from './axe.ts'
import { type Caller, newCaller } from './callers.ts'
import { newPage, verificationLink, type World } from './site.ts'

const FANS = ['fay', 'fred', 'finn', 'flo', 'fritz', 'felix']

/** Waits until the list of the view is loaded. */
const settled = (page: Page) => page.locator('[aria-busy=false]').waitFor()

export function accessibilityTests(world: World): void {
  let frank: Page

  test('likes and follows are grouped, and a new one makes its group new again', async () => {
    const { site } = world
    frank = await newUser(site, 'frank', 'Frank Gray')
    await writePost(frank, 'Everyone likes this')
    const fans: Caller[] = []
    for (const handle of FANS) fans.push(await newCaller(site, handle))
    const [fay, ...others] = fans
    const account = await fay!<{ id: string }>('GET', '/handles/frank')
    const posts = await fay!<{ items: { id: string }[] }>('GET', `/accounts/${account!.id}/posts`)
    const like = `/posts/${posts!.items[0]!.id}/like`
    for (const call of others) await call('PUT', like)
    for (const call of others) await call('PUT', `/accounts/${account!.id}/follow`)
    await frank.getByRole('link', { name: 'Notifications 10 unread' }).waitFor()

    await openView(frank, 'Notifications')
    const rows = frank.getByRole('region', { name: 'Notifications' }).locator('article div > p:first-child')
    await expect.poll(() => rows.count(), { timeout: 10_000 }).toBe(2)
    await rows.filter({ hasText: /^New: f\w+, f\w+ and 3 others followed you/ }).waitFor()
    await rows.filter({ hasText: /^New: f\w+, f\w+ and 3 others liked your post/ }).waitFor()

    await frank.getByRole('link', { name: 'Notifications', exact: true }).waitFor()
    await frank.reload()
    await settled(frank)
    await fay!('PUT', like)
    await rows.filter({ hasText: /^New: fay, f\w+ and 4 others liked your post/ }).waitFor()
    await rows.filter({ hasText: /^f\w+, f\w+ and 3 others followed you/ }).waitFor()
    expect(await rows.count()).toBe(2)
    expect(await violations(frank)).toEqual([])
    await frank.getByRole('link', { name: 'followed you' }).click()
    await heading(frank, 'Followers of @frank').waitFor()
    await settled(frank)
    expect(await violations(frank)).toEqual([])
  })

  test('mentions, tags and links after emoji are highlighted at the right place', async () => {
    await openView(frank, 'Home')
    await writePost(frank, '😀👩‍👩‍👧‍👦 𝒻 @bob 🦊: https://example.org/ok?q=1 😀 #tag 😀 @ada')
    const text = frank.getByRole('article').filter({ hasText: '@bob 🦊' }).locator('.text')
    expect(await text.getByRole('link').allTextContents()).toEqual([
      '@bob',
      'https://example.org/ok?q=1',
      '#tag',
      '@ada',
    ])
    expect(await text.locator('.tag').allTextContents()).toEqual(['#tag'])
    await text.getByRole('link', { name: '@bob' }).click()
    await heading(frank, 'Profile').waitFor()
    expect(frank.url()).toMatch(/\/@bob$/)
  })

  test('no view for visitors has a serious accessibility violation, on wide and narrow screens, dark and light', async () => {
    const { site } = world
    const visitor = await newPage(site)
    const landing = 'Posts from the people you choose, newest first'
    const views = {
      '': landing,
      login: 'Log in',
      register: 'Create an account',
      discover: 'Discover',
      '@frank': 'Profile',
    }
    for (const [path, title] of Object.entries(views)) {
      await visitor.goto(`${site.origin}/${path}`)
      await heading(visitor, title).waitFor()
      expect(await violations(visitor), title).toEqual([])
    }
    await register(visitor, site.origin, 'gina')
    expect(await violations(visitor), 'email sent').toEqual([])
    const elsewhere = await newPage(site)
    await elsewhere.goto(await verificationLink(site, 'gina@example.com'))
    await heading(elsewhere, 'Confirm your email').waitFor()
    expect(await violations(elsewhere), 'confirmation').toEqual([])
    await elsewhere.context().close()
    await visitor.context().close()
  })

  test('no view for members has a serious accessibility violation, and the Tab key shows its focus everywhere', async () => {
    const { site } = world
    const image = { buffer: await drawLandscape(site.browser), alt: 'Mountains at sunrise' }
    await openView(frank, 'Home')
    await writePost(frank, 'Look, @bob: https://example.org and #hills', image)
    await waitForImage(frank.getByRole('img', { name: image.alt }))
    for (const view of ['Home', 'Discover', 'Notifications', 'Profile']) {
      await openView(frank, view)
      await settled(frank)
      expect(await violations(frank), view).toEqual([])
      const { stops, invisible } = await tabThrough(frank)
      expect(invisible, view).toEqual([])
      expect(stops, view).toBeGreaterThan(5)
    }
    await frank.getByRole('link', { name: 'Blocked accounts' }).click()
    await settled(frank)
    expect(await violations(frank), 'blocked accounts').toEqual([])
    await frank.goto(`${site.origin}/nothing`)
    await heading(frank, 'Page not found').waitFor()
    expect(await violations(frank), 'not found').toEqual([])
  })

  test('no dialog, menu, error or thread has a serious accessibility violation', async () => {
    const { site } = world
    await openView(frank, 'Home')
    const post = frank.getByRole('article').filter({ hasText: '#hills' })
    await post.getByRole('button', { name: /^Open image/ }).click()
    await frank.getByRole('dialog').waitFor()
    expect(await violations(frank), 'image').toEqual([])
    await frank.keyboard.press('Escape')
    await post.getByRole('button', { name: 'Delete post' }).click()
    expect(await violations(frank), 'confirmation').toEqual([])
    await frank.getByRole('button', { name: 'Cancel' }).click()

    await post.getByRole('link', { name: /^Comment/ }).click()
    await frank.getByRole('textbox', { name: /^Reply/ }).fill('x'.repeat(501))
    await frank
      .locator('input[type=file]')
      .setInputFiles({ name: 'a.png', mimeType: 'image/png', buffer: Buffer.from('') })
    expect(await violations(frank), 'thread').toEqual([])

    await openView(frank, 'Profile')
    await frank.getByRole('button', { name: 'Edit profile' }).click()
    await frank.getByLabel('Display name').fill('x'.repeat(200))
    await frank.getByRole('button', { name: 'Save' }).click()
    await frank.locator('[aria-invalid=true]').waitFor()
    expect(await violations(frank), 'error').toEqual([])

    await frank.goto(`${site.origin}/@fay`)
    await changeRelation(frank, 'Follow', ['Unfollow', 'More'])
    await frank.getByRole('button', { name: 'More' }).click()
    expect(await violations(frank), 'menu').toEqual([])
    await frank.keyboard.press('Escape')
    await frank.getByRole('button', { name: 'Block @fay' }).waitFor({ state: 'detached' })
    expect(await frank.evaluate('document.activeElement.textContent')).toBe('More')
  })

  test('on narrow screens the image button and the profile link keep their names', async () => {
    await openView(frank, 'Home')
    await settled(frank)
    await frank.setViewportSize({ width: 390, height: 844 })
    await frank.getByRole('button', { name: 'Add images', exact: true }).waitFor()
    await frank.getByRole('link', { name: /^Your profile: Frank Gray/ }).waitFor()
    await frank.context().close()
  })
}
