import { parseArgs } from 'node:util'
import { roles } from '../src/platform/context.ts'
import { firstIdAt } from '../src/platform/data/ids.ts'
import { main, type System, systemOf, systemOptions, urlOption, wakeSweepers } from './cli.ts'
import { execute } from './databases.ts'

const USAGE = 'Usage: npm run admin -- grant HANDLE admin|moderator|user [--env staging|production]'

/** Gives an account a role, revokes its access tokens and records the event, as the API operation `setRole` does. */
function grant(system: System, handle: string, role: string): void {
  const now = Date.now()
  const account = `(SELECT account_id FROM handles WHERE handle = '${handle}' AND reserved_until IS NULL)`
  const event = `max(${firstIdAt(now)}, coalesce((SELECT max(id) + 1 FROM outbox), 0)), 'identity.role-changed'`
  const [changed] = execute(
    system,
    'DIRECTORY',
    `UPDATE users SET role = '${role}', tokens_void_before = ${now}, updated_at = ${now}
       WHERE id = ${account} AND email_verified = 1 RETURNING id;
     INSERT INTO outbox (id, type, data)
       SELECT ${event}, json_object('accountId', CAST(id AS TEXT)) FROM users WHERE id = ${account} AND email_verified = 1`,
  )
  if (changed?.length !== 1) throw new Error(`No verified account has the handle ${handle}.`)
}

const report = (handle: string, role: string, when: string) => `@${handle} is now ${role}.
A new login or token refresh has the new role. Older access tokens keep the old role until they are revoked, ${when}.
`

await main(async () => {
  const { values, positionals } = parseArgs({ options: { ...systemOptions, ...urlOption }, allowPositionals: true })
  const [verb, name = '', role = '', ...rest] = positionals
  const handle = name.replace(/^[@＠]/, '').toLowerCase()
  const isClear =
    verb === 'grant' && /^[a-z0-9_]{3,30}$/.test(handle) && roles.some((known) => known === role) && rest.length === 0
  if (!isClear) throw new Error(USAGE)
  const system = systemOf(values)
  grant(system, handle, role)
  process.stdout.write(report(handle, role, await wakeSweepers(system, values.url)))
})
