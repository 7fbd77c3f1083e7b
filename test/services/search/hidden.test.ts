import { env } from 'cloudflare:workers'
import { expect, test } from 'vitest'
import type { Id } from '../../../src/platform/data/ids.ts'
import { blockAccount } from '../../../src/services/accounts/blocks.ts'
import { suspendAccount } from '../../../src/services/accounts/suspensions.ts'
import { searchAccounts } from '../../../src/services/search/people.ts'
import { PostSearchQuery, searchPosts } from '../../../src/services/search/posts.ts'
import { searchTags } from '../../../src/services/search/tags.ts'
import { accountsOn } from '../../support/actors.ts'
import { fetchWith } from '../../support/client.ts'
import { queues } from '../../support/manual-queues.ts'
import { publishedId } from '../../support/posting.ts'
import { asModerator, asUser } from '../../support/viewers.ts'

const ways = {
  'a post for followers': { visibility: 'followers' as const, hide: async () => {} },
  'the post of an account that blocks the viewer': {
    hide: (hider: Id, viewer: Id) => blockAccount(asUser(hider), { accountId: viewer }),
  },
  'the post of an account that the viewer blocks': {
    hide: (hider: Id, viewer: Id) => blockAccount(asUser(viewer), { accountId: hider }),
  },
  'the post of a suspended account, before its events': {
    isEarly: true,
    hide: (hider: Id, viewer: Id) => suspendAccount(asModerator(viewer), { accountId: hider }),
  },
}
let worlds = 0

/** All that a viewer can learn from searches, without ids and the contents of cursors. */
async function answersOf(viewer: Id, word: string): Promise<unknown[]> {
  const answers: unknown[] = []
  for (const order of ['newest', 'best']) {
    for (const limit of ['1', '2', '3', '4', '50']) {
      for (let cursor: string | undefined, pages = 0; pages < 8; pages++) {
        const query = PostSearchQuery.parse({ q: word, order, limit, cursor })
        const { items, nextCursor, previousCursor } = await searchPosts(asUser(viewer), query)
        const texts = items.map(({ post, snippet }) => [post.text.replaceAll(word, ''), snippet])
        answers.push([order, limit, texts, nextCursor?.length, previousCursor?.length])
        if (!nextCursor) break
        cursor = nextCursor
      }
    }
  }
  const tags = await searchTags(asUser(viewer), { q: word, limit: 10 })
  const people = await searchAccounts(asUser(viewer), { q: word, limit: 10 })
  return [...answers, tags.items.map(({ tag, uses }) => [tag.replaceAll(word, ''), uses]), people.items.length]
}

test.each(Object.entries(ways))('nobody can tell from any answer whether %s exists', async (_, way) => {
  const seen = await Promise.all(
    [true, false].map(async (hasHidden) => {
      const [author, hider, viewer] = await accountsOn(0, 1, 0)
      const word = `twin${String(++worlds).padStart(4, '0')}`
      for (const text of ['first one', 'second and longer', 'third'])
        await publishedId(author, { text: `${word} ${text}` })
      const visibility = 'visibility' in way ? way.visibility : 'public'
      if (hasHidden) await publishedId(hider, { text: `${word} ${word} hidden`, visibility })
      for (const text of ['fourth', 'fifth']) await publishedId(author, { text: `${word} ${text}` })
      await queues.deliver()
      await way.hide(hider, viewer)
      if (!('isEarly' in way)) await queues.deliver()
      return { viewer, word }
    }),
  )
  const [one, other] = await Promise.all(seen.map(({ viewer, word }) => answersOf(viewer, word)))
  expect(one).toEqual(other)
  await queues.deliver()
})

test('without the index, searches are refused with the time to wait, and the rest of the system answers', async () => {
  const broken = {
    withSession: () => broken,
    prepare: () => {
      throw new Error('down')
    },
    batch: () => {
      throw new Error('down')
    },
  }
  const bindings = { ...env, INDEX: broken }
  for (const path of ['posts', 'accounts', 'tags']) {
    const response = await fetchWith(bindings, `/v1/search/${path}?q=hello`)
    expect([path, response.status, response.headers.get('retry-after')]).toEqual([path, 503, '5'])
    expect(await response.json()).toMatchObject({ code: 'unavailable' })
  }
  const [ada] = await accountsOn(0)
  for (const path of [`/v1/accounts/${ada}`, `/v1/accounts/${ada}/posts`]) {
    expect((await fetchWith(bindings, path)).status).toBe(200)
  }
})
