import { expect, test } from 'vitest'
import { openView } from './actions.ts'
import { loggedInCaller } from './callers.ts'
import type { World } from './site.ts'

const POSTS = 30

export function burstTests(world: World): void {
  test('a burst of new posts is read with a few requests, none of which reads a single post', async () => {
    const { site, bob } = world
    const ada = await loggedInCaller(site, 'ada')
    await openView(bob, 'Home')
    await bob.getByRole('article').first().waitFor()
    await bob
      .getByText(/^(Connecting|Reconnecting)…$/)
      .filter({ visible: true })
      .waitFor({ state: 'detached' })
    const reads: URL[] = []
    bob.on('request', (request) => {
      const url = new URL(request.url())
      if (url.pathname.startsWith('/v1/posts')) reads.push(url)
    })
    for (let n = 0; n < POSTS; n++) await ada('POST', '/posts', { text: `Burst ${n}.` })
    const shown = bob.getByRole('article').filter({ hasText: /Burst \d+\./ })
    await expect.poll(() => shown.count(), { timeout: 20_000 }).toBe(POSTS)
    const ids = reads.flatMap(({ searchParams }) => searchParams.get('ids')?.split(',') ?? [])
    expect(reads.map(({ pathname }) => pathname)).toEqual(reads.map(() => '/v1/posts'))
    expect([ids.length, new Set(ids).size]).toEqual([POSTS, POSTS])
    expect(reads.length).toBeLessThan(10)
    await ada('POST', '/auth/logout')
  })
}
