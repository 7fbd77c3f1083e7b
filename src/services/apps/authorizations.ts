import { z } from '@hono/zod-openapi'
import { and, eq, exists, isNull, lt } from 'drizzle-orm'
import type { Ctx, UserCtx } from '../../platform/context.ts'
import { changed, one, query, rowIf } from '../../platform/data/conditions.ts'
import { atPrimary } from '../../platform/data/databases.ts'
import { Id } from '../../platform/data/ids.ts'
import { record } from '../../platform/events/events.ts'
import { Failure } from '../../platform/failures.ts'
import { openEnum } from '../../platform/http/open-enum.ts'
import { actorOf } from '../../platform/security/clients.ts'
import { unauthorized } from '../../platform/security/tokens.ts'
import { readLoginTime } from '../identity/queries.ts'
import { mailAppAllowed } from '../identity/statements.ts'
import { sessions } from '../identity/tables.ts'
import { permissionsFor } from './bundles.ts'
import { newCode } from './codes.ts'
import { appAllowed, appLoggedIn } from './events.ts'
import { consentRequired } from './failures.ts'
import { CODE_SECONDS } from './lifetimes.ts'
import { type AuthorizationRequest, isIdentified, readRequest, returnTo } from './requests.ts'
import { appCodes, appGrants } from './tables.ts'
import { AppSummary, Permission, summaryOf } from './views.ts'

const request = z.string().max(4_096).openapi({ description: 'The query with which the app sent the person here' })
export const RequestQuery = z.strictObject({ request })

export const Decision = z
  .strictObject({
    request,
    accountId: Id.openapi({ description: 'The account that the person has seen on the page' }),
  })
  .openapi('AppDecision')
type Decision = z.infer<typeof Decision>

export const Authorization = z
  .object({
    app: AppSummary,
    permissions: z.array(Permission),
    next: openEnum(
      'AuthorizationStep',
      ['ask', 'repeat', 'return', 'refuse'],
      '`ask`: show the app and its permissions. `repeat`: the person has allowed all of this before; send it to ' +
        '`repeatAuthorization`. `return`: open `returnTo`. `refuse`: show a link to `returnTo`, because the app asks ' +
        'not to ask the person, who has not allowed it',
    ),
    returnTo: z.string().openapi({ description: 'Where a person who declines goes' }),
  })
  .openapi('AppAuthorization', {
    example: { next: 'ask', returnTo: 'https://birdhouse.example/cb?error=access_denied' },
  })
type Authorization = z.infer<typeof Authorization>

export const Approval = z
  .object({ returnTo: z.string().openapi({ description: 'Where the person goes, with the authorization code' }) })
  .openapi('AppApproval', { example: { returnTo: 'https://birdhouse.example/cb?code=8sK2mWv3xKs6nRb1zJw4' } })
type Approval = z.infer<typeof Approval>

type Grant = Pick<typeof appGrants.$inferSelect, 'scopes' | 'approvedAt'>

/** Works without a login, so that a page can show the app before the person logs in. */
export async function readAuthorization(ctx: Ctx, given: { request: string }): Promise<Authorization> {
  const asked = await readRequest(ctx, given.request)
  const { app, scopes } = asked
  const error = await silentError(ctx, asked)
  const isSilent = asked.prompts.includes('none')
  const isKnown =
    isSilent && ctx.viewer !== null && (await readGrant({ ...ctx, viewer: ctx.viewer }, asked)).scopes.length > 0
  const repeats = error === null && (isSilent || asked.prompts.length === 0)
  return {
    app: summaryOf(app),
    permissions: permissionsFor(scopes),
    next: repeats ? 'repeat' : isKnown ? 'return' : isSilent ? 'refuse' : 'ask',
    returnTo: returnTo(ctx, asked, { error: isSilent && error !== null ? error : 'access_denied' }),
  }
}

/** Why the request cannot be granted without asking (OpenID Connect Core, 3.1.2.6); null if it can. */
async function silentError(ctx: Ctx, asked: AuthorizationRequest): Promise<string | null> {
  const viewer = ctx.viewer?.clientId === undefined ? ctx.viewer : null
  if (!viewer) return 'login_required'
  const user = { ...ctx, viewer }
  const isOld = asked.maxAge !== undefined && isTooOld(ctx, asked, await readLoginTime(ctx, viewer))
  if (isOld) return 'login_required'
  const { scopes, approvedAt } = await readGrant(user, asked)
  // Somebody who took over the app of a developer cannot lead codes to another address without asking.
  const isCurrent = approvedAt >= asked.app.redirectsChangedAt
  const isAllowed = isCurrent && new Set(asked.scopes).isSubsetOf(new Set(scopes))
  return isIdentified(asked) && isAllowed ? null : 'consent_required'
}

export async function allowApp(ctx: UserCtx, { request, accountId }: Decision): Promise<Approval> {
  const asked = await readRequest(ctx, request)
  const authTime = await requireOwner(ctx, asked, accountId)
  const before = (await readGrant(ctx, asked)).scopes
  const scopes = [...new Set([...before, ...asked.scopes])]
  const isNew = scopes.length > before.length
  const { app } = asked
  const db = ctx.db.directory
  const actor = await actorOf(ctx)
  const approvedAt = db.now()
  const row = { accountId, appId: app.id, scopes, createdAt: approvedAt, approvedAt }
  const { code, statement } = await newCode(db, asked, { accountId, authTime }, isLoggedIn(ctx))
  const [stored] = await db.commit([
    statement,
    db
      .insert(appGrants)
      .select(rowIf(appGrants, row, changed))
      .onConflictDoUpdate({ target: [appGrants.accountId, appGrants.appId], set: { scopes, approvedAt } }),
    record(db, appAllowed, { accountId, appId: app.id, ...actor }, changed),
    ...(isNew ? mailAppAllowed(db, accountId, app.name, changed) : []),
    deleteStaleCodes(ctx, asked),
  ])
  if (stored.length === 0) throw unauthorized()
  return { returnTo: returnTo(ctx, asked, { code }) }
}

/** Grants again what the person allowed before. Throws `consent_required` for anything else. */
export async function repeatAuthorization(ctx: UserCtx, { request, accountId }: Decision): Promise<Approval> {
  const asked = await readRequest(ctx, request)
  const authTime = await requireOwner(ctx, asked, accountId)
  const mayAsk = asked.prompts.some((prompt) => prompt !== 'none')
  if (mayAsk || (await silentError(ctx, asked)) !== null) throw new Failure(consentRequired)
  const db = ctx.db.directory
  const { code, statement } = await newCode(db, asked, { accountId, authTime }, isLoggedIn(ctx))
  const act = { accountId, appId: asked.app.id, ...(await actorOf(ctx)) }
  const [stored] = await db.commit([statement, record(db, appLoggedIn, act, changed), deleteStaleCodes(ctx, asked)])
  if (stored.length === 0) throw unauthorized()
  return { returnTo: returnTo(ctx, asked, { code }) }
}

/** Returns when the person entered the password. Another account may have logged in since the page was opened. */
async function requireOwner(ctx: UserCtx, asked: AuthorizationRequest, accountId: Id): Promise<number> {
  if (accountId !== ctx.viewer.id) throw new Failure('forbidden', 'The page was opened by another account')
  const authTime = await readLoginTime(ctx, ctx.viewer)
  if (authTime === 0) throw unauthorized()
  if (isTooOld(ctx, asked, authTime)) throw new Failure('fresh_login_required')
  return authTime
}

function isLoggedIn({ viewer }: UserCtx) {
  const own = and(eq(sessions.id, viewer.sessionId), eq(sessions.userId, viewer.id))
  return exists(query.select(one).from(sessions).where(own))
}

/** Unused ones of the account and the app that have expired. */
function deleteStaleCodes(ctx: UserCtx, { app }: AuthorizationRequest) {
  const isStale = and(isNull(appCodes.sessionId), lt(appCodes.createdAt, ctx.now() - CODE_SECONDS * 1_000))
  const own = and(eq(appCodes.accountId, ctx.viewer.id), eq(appCodes.appId, app.id))
  return ctx.db.directory.delete(appCodes).where(and(own, isStale))
}

function isTooOld(ctx: Ctx, { maxAge }: AuthorizationRequest, authTime: number): boolean {
  return maxAge !== undefined && authTime < ctx.now() - maxAge * 1_000
}

async function readGrant(ctx: UserCtx, { app }: AuthorizationRequest): Promise<Grant> {
  const [grant] = await atPrimary(ctx)
    .directory.select({ scopes: appGrants.scopes, approvedAt: appGrants.approvedAt })
    .from(appGrants)
    .where(and(eq(appGrants.accountId, ctx.viewer.id), eq(appGrants.appId, app.id)))
  return grant ?? { scopes: [], approvedAt: 0 }
}
