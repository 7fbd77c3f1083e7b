import { expect, test } from 'vitest'
import { heading, logIn, openView, submitRegistration, writePost } from './actions.ts'
import { newPage, type World } from './site.ts'

export function failureTests(world: World): void {
  test('a failed like is reverted and reported', async () => {
    const { bob } = world
    // The view of a single post does not reload the post, so only the failed request can revert the like.
    await openView(bob, 'Discover')
    await bob.getByText('First light').click()
    await heading(bob, 'Post').waitFor()
    await bob.getByRole('region', { name: 'Comments' }).getByRole('article').first().waitFor()
    await bob.route('**/v1/posts/*/like', (route) => route.abort())
    const like = bob.getByRole('article').first().getByRole('button', { name: /^Like/ })
    const before = await like.getAttribute('aria-pressed')
    await like.click()
    await bob.getByRole('alert').getByText('Cannot reach the server').waitFor()
    expect(await like.getAttribute('aria-pressed')).toBe(before)
  })

  test('a form shows an error once, as a sentence, until the user has removed the cause', async () => {
    const { bob } = world
    const form = bob.getByRole('main').getByRole('form', { name: 'Find people' })
    await bob.setViewportSize({ width: 390, height: 844 })
    await openView(bob, 'Discover')
    await form.getByLabel('Handle').fill('nobody_at_all')
    await form.getByRole('button', { name: 'Follow' }).click()
    await form.getByText('The handle does not exist.').waitFor()
    expect(await form.getByRole('alert').textContent()).toBe('')
    await expect.poll(() => bob.evaluate('document.activeElement.name')).toBe('handle')
    await form.getByLabel('Handle').fill('bob')
    await form.getByText('The handle does not exist.').waitFor({ state: 'detached' })
    await form.getByRole('button', { name: 'Follow' }).click()
    await form
      .getByRole('alert')
      .getByText(/^The account [^.]+\.$/)
      .waitFor()

    await openView(bob, 'Home')
    const post = bob.getByRole('form', { name: 'New post' })
    const file = { name: 'image.png', mimeType: 'image/png', buffer: Buffer.from('no image') }
    await post.locator('input[type=file]').setInputFiles(file)
    await post.getByRole('button', { name: 'Post' }).click()
    const alert = post.getByRole('alert').getByText(/JPEG, PNG, GIF or WebP/)
    await alert.waitFor()
    await post.getByRole('button', { name: 'Remove image 1' }).click()
    await alert.waitFor({ state: 'detached' })
  })

  test('a taken handle is reported at its field, and unknown or malformed URLs show a suitable view', async () => {
    const { site } = world
    const visitor = await (await site.browser.newContext()).newPage()
    await visitor.goto(`${site.origin}/register`)
    await submitRegistration(visitor, 'ada', 'ada.again@example.com')
    await visitor.getByText('The handle is already taken.').waitFor()
    await expect.poll(() => visitor.evaluate('document.activeElement.name')).toBe('handle')
    expect(await visitor.getByLabel('Handle').getAttribute('aria-invalid')).toBe('true')

    await visitor.goto(`${site.origin}/@nobody`)
    await heading(visitor, 'Page not found').waitFor()
    await visitor.goto(`${site.origin}/@ada`)
    await heading(visitor, 'Profile').waitFor()
    expect(visitor.url()).toBe(`${site.origin}/@ada`)
    for (const malformed of ['%E0%A4%A', 'posts/..%2Faccounts']) {
      await visitor.goto(`${site.origin}/${malformed}`)
      await heading(visitor, 'Log in').waitFor()
    }
    await visitor.context().close()
  })

  test('a small screen shows a lost connection and the resulting error until the connection is back', async () => {
    const { bob } = world
    await openView(bob, 'Discover')
    const form = bob.getByRole('main').getByRole('form', { name: 'Find people' })
    const indicator = bob.getByText('Reconnecting…').filter({ visible: true })
    await bob.context().setOffline(true)
    await indicator.waitFor()
    await form.getByLabel('Handle').fill('ada')
    await form.getByRole('button', { name: 'View profile' }).click()
    const error = form.getByRole('alert').getByText('Cannot reach the server')
    await error.waitFor()
    await bob.context().setOffline(false)
    await indicator.waitFor({ state: 'detached' })
    await error.waitFor({ state: 'detached' })
  })

  test('after a 429 for a socket ticket, the page requests the next ticket no earlier than Retry-After', async () => {
    const { site } = world
    const page = await newPage(site)
    await logIn(page, site.origin, 'carol')
    let requests = 0
    await page.route('**/v1/realtime/tickets', async (route) => {
      requests += 1
      await route.fulfill({ status: 429, headers: { 'retry-after': '600' } })
    })
    // From here on the page's time passes only when the test advances it.
    await page.clock.install({ time: 0 })
    await page.clock.pauseAt(1_000)
    const resumed = page.waitForResponse('**/v1/auth/refresh')
    await page.reload()
    await (await resumed).finished()
    // In small steps: the page gives up a refresh when 8 s of its time have passed.
    while (requests === 0) await page.clock.runFor(100)
    const minutesUntil = async (count: number) => {
      let minutes = 0
      for (; requests < count && minutes < 1_000; minutes += 0.25) await page.clock.runFor(15_000)
      return minutes
    }
    expect(await minutesUntil(2)).toBeGreaterThan(9)
    expect(requests).toBe(2)
    await page.context().close()
  })

  test('a post whose response was lost is published once', async () => {
    const { ada } = world
    const keys: (string | undefined)[] = []
    await openView(ada, 'Home')
    await ada.route('**/v1/posts', async (route) => {
      keys.push(route.request().headers()['idempotency-key'])
      if (keys.length > 1) return route.continue()
      await route.fetch()
      await route.abort()
    })
    await writePost(ada, 'Said once')
    await expect.poll(() => ada.getByRole('textbox').first().inputValue(), { timeout: 10_000 }).toBe('')
    await ada.reload()
    await ada.getByText('Said once').waitFor()
    expect(await ada.getByText('Said once').count()).toBe(1)
    expect(keys).toEqual([expect.stringMatching(/^\w{32}$/), keys[0]])
  })
}
