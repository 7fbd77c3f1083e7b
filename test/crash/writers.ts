import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { fetchInTime } from '../../scripts/fetch-in-time.ts'

export type Person = { id: string; handle: string; token: string }
export type Acknowledged = { posts: Map<string, string>; likes: Set<string>; retries: number }

type Call = { method: string; path: string; body?: object; key?: string }

/** Repeats the call, with the same `key`, if any, until it is acknowledged. Returns null if it is `stopped` first. */
export async function insist(
  origin: string,
  person: Person,
  call: Call,
  done: { retries: number },
  stopped: () => boolean,
): Promise<{ id: string } | null> {
  const headers = {
    authorization: `Bearer ${person.token}`,
    'content-type': 'application/json',
    ...(call.key && { 'idempotency-key': call.key }),
  }
  for (;;) {
    const request = { method: call.method, headers, body: call.body && JSON.stringify(call.body) }
    const answer = await fetchInTime(`${origin}${call.path}`, request).catch(() => null)
    if (answer && answer.status < 500) {
      const body = (answer.status === 204 ? {} : await answer.json().catch(() => null)) as { id: string } | null
      if (!answer.ok)
        throw new Error(`${call.method} ${call.path} failed with ${answer.status}: ${JSON.stringify(body)}`)
      if (body) return body
    }
    if (stopped()) return null
    done.retries += 1
    await sleep(100)
  }
}

const any = <T>(list: readonly T[]): T => list[Math.floor(Math.random() * list.length)]!

/** Writes without pause as random `people`. Adds each acknowledged post, comment or like to `done`. */
export async function write(
  origin: string,
  people: readonly Person[],
  name: string,
  done: Acknowledged,
  stopped: () => boolean,
): Promise<void> {
  for (let n = 0; !stopped(); n++) {
    const me = any(people)
    const known = [...done.posts.keys()]
    const roll = Math.random()
    if (known.length > 0 && roll < 0.3) {
      const postId = any(known)
      const liked = await insist(origin, me, { method: 'PUT', path: `/v1/posts/${postId}/like` }, done, stopped)
      if (liked) done.likes.add(`${postId} ${me.id}`)
      continue
    }
    const text = `${name} writes ${n} to @${any(people).handle}`
    const parentId = known.length > 0 && roll < 0.5 ? any(known) : undefined
    const call = { method: 'POST', path: '/v1/posts', body: { text, parentId }, key: randomUUID() }
    const post = await insist(origin, me, call, done, stopped)
    if (post) done.posts.set(post.id, text)
  }
}
