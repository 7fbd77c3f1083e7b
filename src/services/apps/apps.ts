import { z } from '@hono/zod-openapi'
import { and, desc, eq, exists, isNull, not, type SQL } from 'drizzle-orm'
import type { Ctx, UserCtx } from '../../platform/context.ts'
import { changed, one, query, rowIf } from '../../platform/data/conditions.ts'
import { atPrimary } from '../../platform/data/databases.ts'
import { Id, shardOf } from '../../platform/data/ids.ts'
import { withFreshId } from '../../platform/data/shards.ts'
import { cleanLine, cleanText, describeBounds, requireLength } from '../../platform/data/text.ts'
import { record } from '../../platform/events/events.ts'
import { Failure, invalid, notFound, unavailable } from '../../platform/failures.ts'
import { actorOf } from '../../platform/security/clients.ts'
import { digest } from '../../platform/security/crypto.ts'
import { isOfficialName } from '../identity/policy.ts'
import { addClient, mailIfChanged } from '../identity/statements.ts'
import { appChanged, appDeleted, appLoginsToEnd, appRegistered, appSecretRenewed } from './events.ts'
import { tooManyApps } from './failures.ts'
import { MAX_APPS, MAX_REDIRECTS, MAX_SELF_REGISTERED } from './lifetimes.ts'
import { redirectFlaw } from './redirects.ts'
import { newSecret } from './secrets.ts'
import { apps } from './tables.ts'
import { type App, AppKind, type AppWithSecret } from './views.ts'

const bounds = { name: { characters: 50, bytes: 1_000 }, description: { characters: 300, bytes: 6_000 } }
const HTTPS = /^https:\/\/[\w.-]+(?::\d+)?(?:[/?].*)?$/

const name = z.string().trim().min(1).openapi(describeBounds(bounds.name))
export const website = z
  .string()
  .trim()
  .max(500)
  .refine((text) => text === '' || (HTTPS.test(text) && URL.canParse(text)), 'must be a URL that begins with https://')
const description = z.string().trim().openapi(describeBounds(bounds.description))
const redirectUris = z
  .array(z.string().max(500))
  .min(1)
  .max(MAX_REDIRECTS)
  .openapi({ description: 'Compared exactly; `http://127.0.0.1` and `http://[::1]` at any port' })

export const NewApp = z
  .strictObject({
    name,
    website: website.default(''),
    description: description.default(''),
    redirectUris,
    kind: AppKind,
  })
  .openapi('AppRegistration')
export type NewApp = z.infer<typeof NewApp>

export const AppChange = z
  .strictObject({
    name: name.optional(),
    website: website.optional(),
    description: description.optional(),
    redirectUris: redirectUris.optional(),
  })
  .refine((change) => Object.keys(change).length > 0, 'must have at least one field')
  .openapi('AppChange', { minProperties: 1 })
type AppChange = z.infer<typeof AppChange>

export const AppPath = z.object({ appId: Id })
type AppPath = z.infer<typeof AppPath>

/** Throws `invalid` for a name like that of the service, or a redirect that is not safe. */
function checked<T extends AppChange>(ctx: Ctx, change: T): T {
  const texts = {
    ...(change.name !== undefined && { name: cleanLine('name', change.name) }),
    ...(change.description !== undefined && { description: cleanText('description', change.description) }),
  }
  if (texts.name === '') throw invalid('name', 'is empty')
  requireLength('name', texts.name ?? '', bounds.name)
  requireLength('description', texts.description ?? '', bounds.description)
  if (texts.name && isOfficialName(texts.name))
    throw invalid('name', 'looks like the name of this service or its staff')
  change.redirectUris?.forEach((uri, i) => {
    const flaw = redirectFlaw(uri, ctx.config.BASE_URL)
    if (flaw) throw invalid(`redirectUris.${i}`, flaw)
  })
  return { ...change, ...texts }
}

/** The secret is stored as a hash. `ownerId` is null for an app that registers itself. */
export async function createApp(ctx: Ctx, ownerId: Id | null, given: NewApp): Promise<AppWithSecret> {
  const { kind, ...texts } = checked(ctx, given)
  const secret = kind === 'confidential' ? newSecret('scs_') : null
  const row = {
    ...texts,
    website: texts.website || null,
    ownerId,
    secret: secret && (await digest(secret)),
    createdAt: ctx.now(),
    redirectsChangedAt: 0,
    disabledAt: null,
    disabledReason: null,
  }
  const db = ctx.db.directory
  const actor = ownerId && ctx.viewer ? await actorOf({ ...ctx, viewer: ctx.viewer }) : {}
  const id = await withFreshId(ctx, ownerId ? shardOf(ownerId) : 0, apps.id, async (id) => {
    const insert = db.insert(apps)
    const stored = insert.select(rowIf(apps, { id, ...row }, hasRoom(ownerId)))
    const [inserted] = await db.commit([
      stored.returning({ id: apps.id }),
      ...(ownerId ? [record(db, appRegistered, { accountId: ownerId, appId: id, ...actor }, changed)] : []),
      addClient(db, { id, name: texts.name }, changed),
    ])
    return inserted[0]?.id
  })
  if (!id) throw ownerId ? new Failure(tooManyApps) : unavailable(3_600)
  return { ...viewOf({ id, ...row }), secret }
}

function hasRoom(ownerId: Id | null): SQL {
  const own = query.select(one).from(apps)
  const others = own.where(ownerId ? eq(apps.ownerId, ownerId) : isNull(apps.ownerId))
  return not(exists(others.limit(1).offset((ownerId ? MAX_APPS : MAX_SELF_REGISTERED) - 1)))
}

export async function registerApp(ctx: UserCtx, given: NewApp): Promise<AppWithSecret> {
  return createApp(ctx, ctx.viewer.id, given)
}

export async function listApps(ctx: UserCtx): Promise<{ items: App[] }> {
  const rows = await ctx.db.directory.select().from(apps).where(eq(apps.ownerId, ctx.viewer.id)).orderBy(desc(apps.id))
  return { items: rows.map(viewOf) }
}

/** With other redirects, people whom the app asks must allow it again. */
export async function editApp(ctx: UserCtx, { appId, ...given }: AppPath & AppChange): Promise<App> {
  const { website, ...texts } = checked(ctx, given)
  const accountId = ctx.viewer.id
  const before = await readOwn(ctx, appId)
  const former = new Set(before.redirectUris)
  const uris = new Set(given.redirectUris ?? former)
  const isMoved = former.symmetricDifference(uris).size > 0
  const added = [...uris.difference(former)]
  const change = {
    ...texts,
    ...(website !== undefined && { website: website || null }),
    ...(isMoved && { redirectsChangedAt: ctx.now() }),
  }
  const db = ctx.db.directory
  const [[app]] = await db.commit([
    db.update(apps).set(change).where(isOwn(ctx, appId)).returning(),
    record(db, appChanged, { accountId, appId, ...(await actorOf(ctx)) }, changed),
    ...(added.length > 0
      ? mailIfChanged(db, accountId, 'app-redirects-added', [before.name, ...added].join('\n'))
      : []),
  ])
  if (!app) throw notFound()
  return viewOf(app)
}

/** The app is confidential from now on. Its former secret is void at once; its tokens stay valid. */
export async function renewSecret(ctx: UserCtx, { appId }: AppPath): Promise<AppWithSecret> {
  const secret = newSecret('scs_')
  const accountId = ctx.viewer.id
  const { name } = await readOwn(ctx, appId)
  const db = ctx.db.directory
  const stored = await digest(secret)
  const [[app]] = await db.commit([
    db.update(apps).set({ secret: stored }).where(isOwn(ctx, appId)).returning(),
    record(db, appSecretRenewed, { accountId, appId, ...(await actorOf(ctx)) }, changed),
    ...mailIfChanged(db, accountId, 'app-secret-renewed', name),
  ])
  if (!app) throw notFound()
  return { ...viewOf(app), secret }
}

/** From now on, the app gets no tokens. Those that it has end in steps, within seconds. Throws `conflict` for a disabled app. */
export async function deleteApp(ctx: UserCtx, { appId }: AppPath): Promise<void> {
  const db = ctx.db.directory
  const [deleted] = await db.commit([
    db
      .delete(apps)
      .where(and(isOwn(ctx, appId), isNull(apps.disabledAt)))
      .returning({ id: apps.id }),
    record(db, appDeleted, { accountId: ctx.viewer.id, appId, ...(await actorOf(ctx)) }, changed),
    record(db, appLoginsToEnd, { appId }, changed),
  ])
  if (deleted.length > 0) return
  await readOwn(ctx, appId)
  throw new Failure('conflict', 'The staff disabled this app')
}

async function readOwn(ctx: UserCtx, appId: Id): Promise<Row> {
  const [app] = await atPrimary(ctx).directory.select().from(apps).where(isOwn(ctx, appId))
  if (!app) throw notFound()
  return app
}

function isOwn(ctx: UserCtx, appId: Id) {
  return and(eq(apps.id, appId), eq(apps.ownerId, ctx.viewer.id))
}

type Row = typeof apps.$inferSelect

function viewOf({ ownerId: _, redirectsChangedAt: __, secret, createdAt, disabledAt, ...app }: Row): App {
  return {
    ...app,
    kind: secret === null ? 'public' : 'confidential',
    createdAt: new Date(createdAt).toISOString(),
    disabledAt: disabledAt === null ? null : new Date(disabledAt).toISOString(),
  }
}
