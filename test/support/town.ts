import { env } from 'cloudflare:workers'
import { vi } from 'vitest'
import { asViewer, createContext, type SystemCtx, type UserCtx } from '../../src/platform/context.ts'
import { type Id, newId } from '../../src/platform/data/ids.ts'
import { openAccount } from '../../src/services/accounts/statements.ts'
import { NewPost } from '../../src/services/posts/posts.ts'

/** An account made without its login, for tests that call verbs; `ctx` is a fresh request of it each time. */
export type Townsman = { id: Id; handle: string; readonly ctx: UserCtx }

/** A context as a request has it. What it defers runs on beside the test. */
function context(): SystemCtx {
  return createContext({ env, waitUntil: () => {}, start: 'first-primary' })
}

export async function townsman(handle: string, shard: number): Promise<Townsman> {
  const { db, now } = context()
  const id = newId(shard, now())
  await db.shard(shard).batch([...openAccount(db.shard(shard), { id, handle })])
  return {
    id,
    handle,
    get ctx() {
      return asViewer(context(), id)
    },
  }
}

/** The same request of somebody who has the role of a moderator. */
export const moderating = (ctx: UserCtx): UserCtx => ({ ...ctx, viewer: { ...ctx.viewer, role: 'moderator' } })

/** The input of a post as the route would hand it over. */
export const draft = (input: Partial<NewPost> & { text: string }): NewPost => NewPost.parse(input)

export const shards = [env.SHARD_0, env.SHARD_1]

/** How many rows the query counts, over the given databases together. */
export async function count(query: string, databases: D1Database[] = shards): Promise<number> {
  const rows = await Promise.all(databases.map((db) => db.prepare(query).first<{ n: number }>()))
  return rows.reduce((sum, row) => sum + row!.n, 0)
}

/** An event of the directory on its way, as if the answer to the request that made it had got lost. */
export async function emit(type: string, data: object): Promise<void> {
  const [row] = await env.DIRECTORY.batch<{ id: number }>([
    env.DIRECTORY.prepare('insert into outbox select coalesce(max(id), 0) + 1, ?, ? from outbox returning id').bind(
      type,
      JSON.stringify(data),
    ),
  ])
  await env.EVENTS.send({ source: 'd', id: String(row!.results[0]!.id), type, data })
}

/** Waits until every event has been worked off. */
export async function drained(): Promise<void> {
  const empty = async () => (await count('select count(*) n from outbox', [...shards, env.DIRECTORY])) === 0
  await vi.waitUntil(empty, { timeout: 15_000, interval: 20 })
}
