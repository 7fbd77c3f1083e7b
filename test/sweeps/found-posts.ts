import { env } from 'cloudflare:workers'
import type { Id } from '../../src/platform/data/ids.ts'
import { encoded } from '../../src/services/search/tokens.ts'
import { accountsOn, handleOf } from '../support/actors.ts'
import { insertRows } from '../support/databases.ts'
import type { List } from './lists.ts'

type PostsBy = (author: Id, reader: Id, path: string) => List

export async function foundPosts(postsBy: PostsBy, pathOf: (handle: string) => string): Promise<List> {
  const [reader, author] = await accountsOn(0, 1)
  const handle = handleOf(author)
  const list = postsBy(author, reader, pathOf(handle))
  return {
    ...list,
    add: async (count) => {
      const ids = await list.add(count)
      const row = { text: 'a post of the tests', tags: encoded(handle), handle: '', facts: `a${author}` }
      await insertRows(
        env.INDEX,
        'post_search',
        ids.map((id) => ({ rowid: Number(id), ...row })),
      )
      return ids
    },
    remove: async (id) => {
      await list.remove(id)
      await env.INDEX.prepare('DELETE FROM post_search WHERE rowid = ?').bind(Number(id)).run()
    },
  }
}
