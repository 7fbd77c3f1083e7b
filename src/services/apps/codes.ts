import { and, eq, exists, gt, isNull, lt, lte, type SQL } from 'drizzle-orm'
import type { Ctx, SystemCtx } from '../../platform/context.ts'
import { changed, one, query, rowIf } from '../../platform/data/conditions.ts'
import { atPrimary, type Database } from '../../platform/data/databases.ts'
import { deleteInSteps } from '../../platform/data/expiry.ts'
import type { Id } from '../../platform/data/ids.ts'
import { digest } from '../../platform/security/crypto.ts'
import { revokeSessions } from '../../platform/security/revocation.ts'
import { readSuspension } from '../accounts/queries.ts'
import { openAppLogin } from '../identity/statements.ts'
import { users } from '../identity/tables.ts'
import { CODE_SECONDS, USED_CODE_HOURS } from './lifetimes.ts'
import type { AuthorizationRequest } from './requests.ts'
import { newSecret } from './secrets.ts'
import { appCodes, appGrants, apps } from './tables.ts'

const VERIFIER = /^[\w.~-]{43,128}$/

/** An authorization code, and the statement that stores it if the condition holds. */
export async function newCode(
  db: Database,
  { app, redirectUri, scopes, challenge, nonce }: AuthorizationRequest,
  person: { accountId: Id; authTime: number },
  when: SQL,
) {
  const code = newSecret('')
  const createdAt = db.now()
  const row = { code: await digest(code), appId: app.id, redirectUri, scopes, challenge, nonce, createdAt, ...person }
  const insert = db.insert(appCodes).select(rowIf(appCodes, row, when))
  return { code, statement: insert.returning({ appId: appCodes.appId }) }
}

type Presented = { appId: Id; code: string; redirectUri: string; verifier: string }
type Opened = { accountId: Id; sessionId: string; scopes: string[]; nonce: string | null; authTime: number }
/** `reused`: the code was used before, so the login that it opened must end (RFC 6749, 4.1.2). */
type Redeemed = { opened: Opened } | { reused: { accountId: Id; sessionId: string } } | null

/** Opens the login of an app, once per code. Null for a code that is unknown, expired, or not the app's. */
export async function redeemCode(ctx: Ctx, presented: Presented): Promise<Redeemed> {
  const code = await findCode(ctx, presented)
  if (!code) return null
  const { appId, accountId, scopes, nonce, authTime } = code
  if (code.sessionId !== null) return { reused: { accountId, sessionId: code.sessionId } }
  if (!(await isValid(ctx, code, presented))) return null
  const db = ctx.db.directory
  const sessionId = crypto.randomUUID()
  const unused = and(eq(appCodes.code, code.code), isNull(appCodes.sessionId), isStillAllowed)
  const [used, , excess] = await db.commit([
    db.update(appCodes).set({ sessionId }).where(unused).returning({ appId: appCodes.appId }),
    ...openAppLogin(db, { id: sessionId, accountId, appId, scopes, authTime }, changed),
  ])
  if (used.length === 0) return reusedNow(ctx, presented)
  if (excess.length > 0)
    await revokeSessions(
      ctx,
      accountId,
      excess.map(({ id }) => id),
    )
  return { opened: { accountId, sessionId, scopes, nonce, authTime } }
}

/** The grant, which is deleted with the logins, and the account's logins have not ended since the code was issued. */
const isStillAllowed = and(
  exists(
    query
      .select(one)
      .from(apps)
      .where(and(eq(apps.id, appCodes.appId), isNull(apps.disabledAt))),
  ),
  exists(
    query
      .select(one)
      .from(appGrants)
      .where(
        and(
          eq(appGrants.accountId, appCodes.accountId),
          eq(appGrants.appId, appCodes.appId),
          lte(appGrants.createdAt, appCodes.createdAt),
        ),
      ),
  ),
  exists(
    query
      .select(one)
      .from(users)
      .where(and(eq(users.id, appCodes.accountId), gt(appCodes.createdAt, users.tokensVoidBefore))),
  ),
)

/** For a code that was valid: a concurrent request has used it, or it has been voided. */
async function reusedNow(ctx: Ctx, presented: Presented): Promise<Redeemed> {
  const code = await findCode(ctx, presented)
  return code?.sessionId ? { reused: { accountId: code.accountId, sessionId: code.sessionId } } : null
}

async function findCode(ctx: Ctx, { appId, code }: Presented) {
  const [found] = await atPrimary(ctx)
    .directory.select()
    .from(appCodes)
    .where(and(eq(appCodes.code, await digest(code)), eq(appCodes.appId, appId)))
  return found
}

type Code = NonNullable<Awaited<ReturnType<typeof findCode>>>

/** A first check. The batch that uses the code checks again what can change meanwhile. */
async function isValid(ctx: Ctx, code: Code, { redirectUri, verifier }: Presented): Promise<boolean> {
  if (code.createdAt + CODE_SECONDS * 1_000 <= ctx.now()) return false
  if (code.redirectUri !== redirectUri || !VERIFIER.test(verifier)) return false
  return code.challenge === (await digest(verifier)) && (await readSuspension(ctx, code.accountId)) === null
}

export async function deleteOldCodes(ctx: SystemCtx): Promise<void> {
  const old = lt(appCodes.createdAt, ctx.now() - USED_CODE_HOURS * 3_600_000)
  await deleteInSteps(ctx.db.directory, appCodes, [appCodes.code], old)
}
