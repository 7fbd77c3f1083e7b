import { expect, test } from 'vitest'
import { readLink } from '../../scripts/demo/inbox.ts'
import { fetchInTime } from '../../scripts/fetch-in-time.ts'
import { heading, newUser, openView, writePost } from './actions.ts'
import { violations } from './axe.ts'
import { describeSite } from './site.ts'

describeSite('notifications', (world) => {
  test('likes of a post are one entry, filters show a kind, and a withdrawn like disappears from the open list', async () => {
    const { site } = world
    const ada = await newUser(site, 'ada', 'Ada Lovelace')
    await writePost(ada, 'First light')
    for (const [handle, name] of [
      ['bob', 'Bob Bramwell'],
      ['cyd', 'Cyd Charles'],
    ] as const) {
      const page = await newUser(site, handle, name)
      await openView(page, 'Discover')
      await page.getByRole('article').filter({ hasText: 'First light' }).getByRole('button', { name: /^Like/ }).click()
      if (handle === 'cyd') world.bob = page
      else await page.context().close()
    }
    await openView(ada, 'Notifications')
    const list = ada.getByRole('region', { name: 'Notifications' })
    await list.getByText('Cyd Charles and Bob Bramwell liked your post').waitFor()
    expect(await violations(ada)).toEqual([])
    const kinds = ada.getByRole('navigation', { name: 'Kinds of notifications' })
    await kinds.getByRole('button', { name: 'Mentions' }).click()
    await list.getByText('Nothing yet').waitFor()
    await kinds.getByRole('button', { name: 'All' }).click()
    await list.getByText('Cyd Charles and Bob Bramwell').waitFor()
    await world.bob
      .getByRole('article')
      .filter({ hasText: 'First light' })
      .getByRole('button', { name: /^Like/ })
      .click()
    await list.getByText('Cyd Charles').waitFor({ state: 'detached' })
    await list.getByText('Bob Bramwell').waitFor()
    world.ada = ada
  })

  test('preferences are saved and shown again, at every width and in both color schemes', async () => {
    const { ada } = world
    await ada
      .getByRole('navigation', { name: 'Kinds of notifications' })
      .getByRole('link', { name: 'Settings' })
      .click()
    await heading(ada, 'Notifications').waitFor()
    const form = ada.getByRole('form', { name: 'What notifies you' })
    const likes = form.getByRole('group', { name: 'Likes of your posts' })
    await likes.getByLabel('By email').selectOption('followed')
    await form.getByLabel('Send no mails and pushes in these hours').check()
    await form.getByRole('button', { name: 'Save' }).click()
    await ada.getByText('Saved').waitFor()
    await ada.reload()
    await expect.poll(() => likes.getByLabel('By email').inputValue()).toBe('followed')
    expect(await form.getByLabel('Send no mails and pushes in these hours').isChecked()).toBe(true)
    expect(await violations(ada)).toEqual([])
    for (const width of [390, 1280]) {
      await ada.setViewportSize({ width, height: 800 })
      expect(await ada.evaluate('document.documentElement.scrollWidth')).toBe(width)
      if (process.env.SCREENSHOTS)
        await ada.screenshot({ path: `${process.env.SCREENSHOTS}/settings-${width}.png`, fullPage: true })
    }
  })

  test('the link of a mail leads to a button that ends such mails, and a made-up one says so', async () => {
    const { site, ada } = world
    const form = ada.getByRole('form', { name: 'What notifies you' })
    const byMail = form.getByRole('group', { name: 'Likes of your posts' }).getByLabel('By email')
    await form.getByLabel('Send no mails and pushes in these hours').uncheck()
    await byMail.selectOption('everyone')
    await form.getByRole('button', { name: 'Save' }).click()
    await ada.getByText('Saved').waitFor()
    const dan = await newUser(site, 'dan', 'Dan Dennett')
    await openView(dan, 'Discover')
    await dan.getByRole('article').filter({ hasText: 'First light' }).getByRole('button', { name: /^Like/ }).click()
    await fetchInTime(`${site.origin}/cdn-cgi/local/scheduled`)
    await ada.goto(await readLink(site.origin, 'ada@example.com', 'unsubscribe'))
    await heading(ada, 'Unsubscribe').waitFor()
    expect(await violations(ada)).toEqual([])
    await ada.getByRole('button', { name: 'Unsubscribe' }).click()
    await heading(ada, 'You are unsubscribed').waitFor()
    expect(await violations(ada)).toEqual([])
    await ada.getByRole('link', { name: 'Notification settings' }).click()
    await expect.poll(() => byMail.inputValue()).toBe('nobody')

    await ada.goto(`${site.origin}/?unsubscribe=1.like.1.made-up`)
    await ada.getByRole('button', { name: 'Unsubscribe' }).click()
    await heading(ada, 'This link no longer works').waitFor()
  })
})
