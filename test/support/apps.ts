import { env } from 'cloudflare:workers'
import type { Id } from '../../src/platform/data/ids.ts'
import { insertRows, unusedId } from './databases.ts'
import { REDIRECT } from './oauth.ts'

/** Inserts a public app; with `isAllowed`, its developer has allowed it to read posts. */
export async function insertApp(ownerId: Id, { isAllowed = false } = {}): Promise<{ id: Id }> {
  const id = unusedId(0)
  const app = { id: Number(id), name: 'Birdhouse', created_at: 0 }
  const own = { owner_id: Number(ownerId), description: '', redirect_uris: JSON.stringify([REDIRECT]) }
  await insertRows(env.DIRECTORY, 'apps', [{ ...app, ...own }])
  const scopes = JSON.stringify(['posts:read', 'accounts:read', 'offline_access'])
  const grant = { account_id: Number(ownerId), app_id: app.id, scopes, created_at: 0 }
  if (isAllowed) await insertRows(env.DIRECTORY, 'app_grants', [grant])
  return { id }
}
