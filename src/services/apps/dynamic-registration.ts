import { z } from '@hono/zod-openapi'
import { and, eq, exists, isNull, lt, not } from 'drizzle-orm'
import type { Ctx, SystemCtx } from '../../platform/context.ts'
import { one, query } from '../../platform/data/conditions.ts'
import { DAY_MS } from '../../platform/data/expiry.ts'
import { Failure } from '../../platform/failures.ts'
import { removeClient } from '../identity/statements.ts'
import { createApp, website } from './apps.ts'
import { UNUSED_APP_DAYS } from './lifetimes.ts'
import { OAuthError } from './oauth-error.ts'
import { appGrants, apps } from './tables.ts'

const STEP = 100
/** More would exceed what one run may query. */
const MAX_STEPS = 8

const methods = ['none', 'client_secret_basic', 'client_secret_post'] as const
/** Client metadata (RFC 7591, 2). Unknown fields are ignored, as the standard requires. */
const Metadata = z.object({
  client_name: z.string().min(1).max(200),
  client_uri: z.string().max(500).nullish(),
  redirect_uris: z.array(z.string()).min(1).max(10),
  token_endpoint_auth_method: z.enum(methods).default('client_secret_basic'),
  grant_types: z.array(z.enum(['authorization_code', 'refresh_token'])).default(['authorization_code']),
  response_types: z.array(z.literal('code')).default(['code']),
})

/** Registers an app without a developer's account. Throws `OAuthError` for metadata that are not accepted. */
export async function registerDynamically(ctx: Ctx, metadata: unknown): Promise<object> {
  const given = Metadata.safeParse(metadata)
  if (!given.success) throw new OAuthError('invalid_client_metadata', z.prettifyError(given.error).slice(0, 300))
  const { client_name, client_uri, redirect_uris, token_endpoint_auth_method, grant_types, response_types } = given.data
  const isPublic = token_endpoint_auth_method === 'none'
  const { id, createdAt, secret } = await createApp(ctx, null, {
    name: client_name,
    website: website.safeParse(client_uri).data ?? '',
    description: '',
    redirectUris: redirect_uris,
    kind: isPublic ? 'public' : 'confidential',
  }).catch(asMetadataError)
  return {
    client_id: id,
    client_id_issued_at: Math.floor(Date.parse(createdAt) / 1_000),
    ...(secret && { client_secret: secret, client_secret_expires_at: 0 }),
    client_name,
    redirect_uris,
    token_endpoint_auth_method,
    grant_types,
    response_types,
  }
}

function asMetadataError(error: unknown): never {
  if (!(error instanceof Failure) || error.code !== 'invalid') throw error
  const [first] = error.extra.errors ?? []
  const code = first?.field.startsWith('redirectUris') ? 'invalid_redirect_uri' : 'invalid_client_metadata'
  throw new OAuthError(code, `${first?.field} ${first?.message}`)
}

export async function deleteUnusedApps(ctx: SystemCtx): Promise<void> {
  const db = ctx.db.directory
  const allowed = query.select(one).from(appGrants).where(eq(appGrants.appId, apps.id))
  const isUnused = and(
    isNull(apps.ownerId),
    lt(apps.createdAt, ctx.now() - UNUSED_APP_DAYS * DAY_MS),
    not(exists(allowed)),
  )
  for (let step = 0; step < MAX_STEPS; step++) {
    const unused = await db.select({ id: apps.id }).from(apps).where(isUnused).limit(STEP)
    for (const { id } of unused)
      await db.batch([db.delete(apps).where(and(eq(apps.id, id), isUnused)), removeClient(db, id)])
    if (unused.length < STEP) return
  }
}
