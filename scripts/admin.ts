import { roles } from '../src/platform/context.ts'
import { firstIdAt } from '../src/platform/data/ids.ts'
import { systemOf, systemOptions, urlOption, wakeSweepers } from './cli.ts'
import { main, UsageError } from './command.ts'
import { createAdmin } from './create-admin.ts'
import { type Query, withSystem } from './databases.ts'

const GRANT = `grant HANDLE ${roles.join('|')}`
const CREATE = 'create HANDLE ADDRESS'

/** Whether a row of `users` may get the role: it can log in, no admin is suspended, and the last administrator stays. */
const mayGet = (role: string) => `users.email_verified = 1 AND users.approval IS NULL
  AND ('${role}' <> 'admin' OR NOT users.suspended) AND (users.role <> 'admin' OR '${role}' = 'admin' OR EXISTS (SELECT 1 FROM users other
  WHERE other.role = 'admin' AND other.id <> users.id AND other.email_verified = 1 AND other.approval IS NULL
    AND NOT other.suspended
    AND other.id NOT IN (SELECT account_id FROM deletions)))`

/** Gives an account a role, revokes its access tokens and records the event, as the API operation `setRole` does. */
async function grant(query: Query, handle: string, role: string): Promise<void> {
  const now = Date.now()
  const account = `(SELECT account_id FROM handles WHERE handle = '${handle}' AND reserved_until IS NULL)`
  const event = `max(${firstIdAt(now)}, coalesce((SELECT max(id) + 1 FROM outbox), 0)), 'identity.role-changed'`
  const [changed] = await query(
    'DIRECTORY',
    `UPDATE users SET role = '${role}', tokens_void_before = ${now}, updated_at = ${now}
       WHERE id = ${account} AND ${mayGet(role)} RETURNING id;
     INSERT INTO outbox (id, type, data)
       SELECT ${event}, json_object('accountId', CAST(id AS TEXT), 'role', role) FROM users
         WHERE id = ${account} AND ${mayGet(role)}`,
  )
  if (changed?.length !== 1)
    throw new Error(
      `No account with the handle ${handle} can get the role: it cannot log in, or it is the last administrator.`,
    )
}

const report = (handle: string, role: string, when: string) => `@${handle} is now ${role}.
A new login or token refresh has the new role. Older access tokens keep the old role until they are revoked, ${when}.
`

const usage = {
  command: 'npm run admin',
  purpose: `Gives an account a role and revokes its access tokens, or creates the first administrator. To create one in a
deployed system, set the variables DATA_KEYS and INDEX_KEY, because Cloudflare never shows a secret again.`,
  forms: {
    [GRANT]: 'gives the verified account with this handle the role',
    [CREATE]: 'creates an administrator, in every mode of registration, and prints the password once',
  },
  options: { ...systemOptions, ...urlOption },
  examples: ['grant ada admin', 'grant ada moderator --env production', 'create ada ada@example.org'],
} as const

await main(usage, async ({ values, positionals }) => {
  const [verb, name = '', role = '', ...rest] = positionals
  const handle = name.replace(/^[@＠]/, '').toLowerCase()
  const isHandle = /^[a-z0-9_]{3,30}$/.test(handle) && rest.length === 0
  const system = systemOf(values)
  if (verb === 'create' && isHandle && role.includes('@')) {
    process.stdout.write(await createAdmin(system, { handle, address: role }))
    await wakeSweepers(system, values.url)
    return
  }
  const isGrant = verb === 'grant' && isHandle && roles.some((known) => known === role)
  if (!isGrant) throw new UsageError(`The arguments are: ${GRANT}, or ${CREATE}.`)
  await withSystem(system, (query) => grant(query, handle, role))
  process.stdout.write(report(handle, role, await wakeSweepers(system, values.url)))
})
