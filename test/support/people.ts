import { env, exports } from 'cloudflare:workers'
import { vi } from 'vitest'
import { createContext, type Role } from '../../src/platform/context.ts'
import type { Id } from '../../src/platform/data/ids.ts'
import { verificationToken } from '../../src/services/identity/verification.ts'
import type { Tokens } from '../../src/services/identity/views.ts'

const BASE_URL = 'http://127.0.0.1:8787'
export const PASSWORD = '9-zq!7-xk?4-vw+2'

type Options = RequestInit & { json?: unknown }
type Caller = { fetch: (path: string, init?: Options) => Promise<Response> }

/** Somebody with an account. `fetch` sends their token, and the bookmarks that their last write was answered with. */
export type Person = Caller & { id: Id; handle: string; token: string; refreshToken: string }

/** A client with an address of its own, so that no budget is shared with another. */
function caller(token: () => string | null): Caller {
  const address = [...crypto.getRandomValues(new Uint8Array(4))].join('.')
  let bookmarks: string | null = null
  return {
    fetch: async (path, { json, ...init } = {}) => {
      const headers = new Headers(init.headers)
      headers.set('cf-connecting-ip', address)
      if (bookmarks !== null) headers.set('x-bookmarks', bookmarks)
      if (token() !== null && !headers.has('authorization')) headers.set('authorization', `Bearer ${token()}`)
      if (json !== undefined) headers.set('content-type', 'application/json')
      const body = json === undefined ? init.body : JSON.stringify(json)
      const response = await exports.default.fetch(BASE_URL + path, { ...init, headers, body })
      bookmarks = response.headers.get('x-bookmarks') ?? bookmarks
      return response
    },
  }
}

/** Somebody without an account: each has an address of their own. */
export const stranger = (): Caller => caller(() => null)
export const anonymous = stranger()

/** Registers, verifies the address with the token that the mail would bring and the password, and so logs in. */
export async function register(
  handle = `someone_${crypto.randomUUID().slice(0, 8)}`,
  { email = `${handle}@example.com`, password = PASSWORD }: { email?: string; password?: string } = {},
): Promise<Person> {
  const person: Person = { id: '' as Id, handle, token: '', refreshToken: '', ...caller(() => person.token || null) }
  await answered(person.fetch('/v1/auth/register', { method: 'POST', json: { handle, email, password } }))
  const token = await mailedToken(handle)
  return take(person, await answered(person.fetch('/v1/auth/verify', { method: 'POST', json: { token, password } })))
}

/** The token in the mail that the latest registration of this handle sends. */
export async function mailedToken(handle: string): Promise<string> {
  const row = await env.DIRECTORY.prepare('select account_id, address from handles where handle = ?')
    .bind(handle)
    .first<{ account_id: number; address: string }>()
  const ctx = createContext({ env, waitUntil: () => {} })
  return verificationToken(ctx, { accountId: String(row!.account_id) as Id, address: row!.address })
}

/** Gives a role past every rule, and a token that carries it. */
export async function setRole(person: Person, role: Role): Promise<void> {
  await env.DIRECTORY.prepare('update users set role = ? where id = ?').bind(role, Number(person.id)).run()
  await refresh(person)
}

/** Puts the person's next tokens in the place of the present ones. */
export async function refresh(person: Person): Promise<void> {
  const json = { refreshToken: person.refreshToken }
  take(person, await answered(stranger().fetch('/v1/auth/refresh', { method: 'POST', json })))
}

function take(person: Person, tokens: Tokens): Person {
  const { accessToken: token, refreshToken, account } = tokens
  return Object.assign(person, { token, refreshToken, id: account.id })
}

async function answered(response: Promise<Response>): Promise<Tokens> {
  const answer = await response
  if (!answer.ok) throw new Error(`${answer.status} ${await answer.text()}`)
  return answer.json()
}

/** Waits until every event has been worked off. */
export async function settled(): Promise<void> {
  await vi.waitUntil(
    async () => {
      const outboxes = [env.SHARD_0, env.SHARD_1, env.DIRECTORY].map((db) =>
        db.prepare('select 1 from outbox limit 1').first(),
      )
      return (await Promise.all(outboxes)).every((row) => row === null)
    },
    { timeout: 15_000, interval: 20 },
  )
}
