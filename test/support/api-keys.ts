import { env } from 'cloudflare:workers'
import { type Id, shardOf } from '../../src/platform/data/ids.ts'
import { hashOfKey, newApiKey } from '../../src/platform/security/api-keys.ts'
import { grantableScopes } from '../../src/platform/security/scopes.ts'
import type { RegisteredUser } from './actors.ts'
import { anonymousClient, postJson } from './client.ts'
import { unusedId } from './databases.ts'

type Options = { without?: string | null; expiresIn?: number; isStored?: boolean }

/** Inserts an API key of the account, with every scope that a key can have. With `isStored`, its guard knows it. */
export async function insertApiKey(
  accountId: Id,
  { without, expiresIn = 86_400_000, isStored = true }: Options = {},
): Promise<{ id: Id; key: string }> {
  const key = newApiKey(accountId)
  const id = unusedId(shardOf(accountId))
  const scopes = grantableScopes().filter((scope) => scope !== without)
  const grant = { id, hash: await hashOfKey(key), scopes, createdAt: 1, expiresAt: Date.now() + expiresIn }
  await env.DIRECTORY.prepare('INSERT INTO api_keys VALUES (?, ?, ?, ?, ?, ?, ?)')
    .bind(Number(id), Number(accountId), grant.hash, 'A bot', scopes.join(' '), 1, grant.expiresAt)
    .run()
  if (isStored) await env.GUARD.getByName(`user:${accountId}`).storeKeys([grant])
  return { id, key }
}

export type CreatedKey = {
  id: Id
  key: string
  name: string
  scopes: string[]
  lastUsedAt: string | null
  expiresAt: string
}

/** Creates an API key over HTTP, by default with every scope that a key can have. */
export async function createdApiKey(user: RegisteredUser, input: object = {}): Promise<CreatedKey> {
  const body = { name: 'A bot', scopes: grantableScopes(), days: 30, ...input }
  const response = await postJson('/v1/me/api-keys', body, user)
  if (response.status !== 201) throw new Error(`${response.status} ${await response.text()}`)
  return response.json()
}

type Init = RequestInit & { json?: unknown }

/** Sends a request with an API key, from a new client address. */
export const callWithKey = (key: string, path = '/accounts/me', init: Init = {}): Promise<Response> =>
  anonymousClient().fetch(`/v1${path}`, { ...init, headers: { authorization: `Bearer ${key}` } })

export const keyStatus = async (key: string, path?: string): Promise<number> => (await callWithKey(key, path)).status
