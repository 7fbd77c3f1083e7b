import { z } from '@hono/zod-openapi'
import { and, asc, eq, exists, inArray, isNotNull, ne, not, or, type SQL } from 'drizzle-orm'
import type { Ctx, UserCtx } from '../../../platform/context.ts'
import { any, changed, failUnless, one, query, refusals, rowIf, violates } from '../../../platform/data/conditions.ts'
import { atPrimary } from '../../../platform/data/databases.ts'
import type { Id } from '../../../platform/data/ids.ts'
import { record } from '../../../platform/events/events.ts'
import { Failure, notFound } from '../../../platform/failures.ts'
import { actorOf } from '../../../platform/security/clients.ts'
import { providerLinked, providerUnlinked } from '../events.ts'
import { hasPasskey } from '../factors/factors.ts'
import { identityLinked, lastWayToLogIn, tooManyLinks } from '../failures.ts'
import { MAX_LINKS } from '../lifetimes.ts'
import { queueMail } from '../mails.ts'
import { ENDED, loginLasts, refusedIfEnded } from '../statements.ts'
import { credentials } from '../tables.ts'
import { loginProviders } from '../variables.ts'
import { type Identity, isIdentity, linkRow } from './identities.ts'
import type { Provider } from './provider-list.ts'
import type { ProviderLinks } from './views.ts'

export const LinkPath = z.object({ linkId: z.string().max(64) })

export const isLinkOf = (accountId: Id) =>
  and(eq(credentials.userId, accountId), ne(credentials.providerId, 'credential'))

/** Linking the same identity again changes nothing. */
export async function linkIdentity(ctx: UserCtx, provider: Provider, identity: Identity): Promise<void> {
  const accountId = ctx.viewer.id
  const db = ctx.db.directory
  const row = { ...linkRow(ctx, identity), userId: accountId }
  const lastAllowed = query
    .select(one)
    .from(credentials)
    .where(isLinkOf(accountId))
    .limit(1)
    .offset(MAX_LINKS - 1)
  const actor = await actorOf(ctx)
  const [, inserted] = await db
    .commit([
      failUnless(db, loginLasts(ctx), ENDED),
      db
        .insert(credentials)
        .select(rowIf(credentials, row, not(exists(lastAllowed))))
        .returning({ id: credentials.id }),
      record(db, providerLinked, { accountId, provider: provider.name, ...actor }, changed),
      ...queueMail(db, { accountId, kind: 'provider-linked', detail: provider.name }, changed),
    ])
    .catch(refusals(refusedIfEnded))
    .catch(async (error: unknown) => {
      if (!violates(error, credentials.providerId)) throw error
      const own = and(isIdentity(identity), eq(credentials.userId, accountId))
      if ((await atPrimary(ctx).directory.$count(credentials, own)) === 0) throw new Failure(identityLinked)
      return [null, [row]]
    })
  if (inserted?.length === 0) throw new Failure(tooManyLinks)
}

export async function listProviderLinks(ctx: UserCtx): Promise<ProviderLinks> {
  const rows = await ctx.db.directory
    .select()
    .from(credentials)
    .where(isLinkOf(ctx.viewer.id))
    .orderBy(asc(credentials.createdAt))
  return {
    items: rows.map(({ id, providerId, createdAt, updatedAt }) => ({
      id,
      provider: nameOfIssuer(ctx, providerId),
      linkedAt: createdAt.toISOString(),
      lastUsedAt: updatedAt.toISOString(),
    })),
  }
}

/** The host of the issuer, once the provider is no longer offered. */
export function nameOfIssuer(ctx: Pick<Ctx, 'env'>, issuer: string): string {
  const provider = loginProviders(ctx).find((candidate) => candidate.issuer === issuer)
  return provider?.name ?? new URL(issuer).hostname
}

/** Refused if nobody could log in to the account afterwards. Links of providers that are no longer offered do not count. */
export async function unlinkProvider(ctx: UserCtx, { linkId }: { linkId: string }): Promise<void> {
  const accountId = ctx.viewer.id
  const db = ctx.db.directory
  const own = and(isLinkOf(accountId), eq(credentials.id, linkId))
  const [link] = await atPrimary(ctx).directory.select().from(credentials).where(own)
  if (!link) throw notFound()
  const provider = nameOfIssuer(ctx, link.providerId)
  const another = canLogIn(ctx, accountId, ne(credentials.id, linkId))
  const actor = await actorOf(ctx)
  const [deleted] = await db.commit([
    db.delete(credentials).where(and(own, another)).returning({ id: credentials.id }),
    record(db, providerUnlinked, { accountId, provider, ...actor }, changed),
    ...queueMail(db, { accountId, kind: 'provider-unlinked', detail: provider }, changed),
  ])
  if (deleted.length === 0) throw new Failure(lastWayToLogIn)
}

/** Whether the account has a password, an identity of an offered provider or a passkey. `which` leaves out credentials. */
export function canLogIn(ctx: Pick<Ctx, 'env'>, accountId: Id, which?: SQL): SQL {
  const issuers = loginProviders(ctx).map(({ issuer }) => issuer)
  const isWay = or(isNotNull(credentials.password), inArray(credentials.providerId, issuers))
  const ways = and(eq(credentials.userId, accountId), which, isWay)
  return any(exists(query.select(one).from(credentials).where(ways)), hasPasskey(accountId))
}
