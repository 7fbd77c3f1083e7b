import { env } from 'cloudflare:workers'
import { configOf } from '../../src/platform/config.ts'
import { createContext } from '../../src/platform/create-context.ts'
import type { Id } from '../../src/platform/data/ids.ts'
import { sealEmail } from '../../src/services/identity/email.ts'
import { hashPassword } from '../../src/services/identity/passwords.ts'
import { PASSWORD } from './actors.ts'

/** What `edge` needs to know about logins, for apps without a directory: every login is valid and fresh. */
export const validLogins = {
  readAccountStatus: async () => ({ suspended: false, revokedBefore: 0, endedSessions: [] }),
  readLoginTime: async () => Date.now(),
}

/** Gives the account the password `PASSWORD` of `actors.ts`, and a user if there is none. */
export async function insertPassword(accountId: Id): Promise<void> {
  await env.DIRECTORY.batch([
    await insertUser(accountId),
    env.DIRECTORY.prepare(
      `INSERT OR IGNORE INTO credentials (id, account_id, provider_id, user_id, password, created_at, updated_at)
       VALUES (?1, ?1, 'credential', ?2, ?3, 0, 0)`,
    ).bind(accountId, Number(accountId), hashPassword(configOf(env), PASSWORD)),
  ])
}

/** Inserts the user of an account, if there is none. */
export async function insertUser(accountId: Id): Promise<D1PreparedStatement> {
  const sealed = await sealEmail(createContext({ env, waitUntil: () => {} }), accountId, `${accountId}@example.com`)
  return env.DIRECTORY.prepare(
    `INSERT OR IGNORE INTO users (id, email, email_verified, sealed_address, created_at, updated_at) VALUES (?, ?, 1, ?, 0, 0)`,
  ).bind(Number(accountId), `user ${accountId}`, sealed)
}

/** Inserts a login of the account, and its user if there is none. Returns the id of the login, for `mint`. */
export async function insertLogin(accountId: Id, { minutesAgo = 0 } = {}): Promise<string> {
  const at = Date.now() - minutesAgo * 60_000
  const id = crypto.randomUUID()
  await env.DIRECTORY.batch([
    await insertUser(accountId),
    env.DIRECTORY.prepare(
      'INSERT INTO sessions (id, user_id, token, expires_at, created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?)',
    ).bind(id, Number(accountId), id, Date.now() + 86_400_000, at, at),
  ])
  return id
}
