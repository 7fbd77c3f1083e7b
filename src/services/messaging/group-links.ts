import type { z } from '@hono/zod-openapi'
import { and, eq } from 'drizzle-orm'
import type { UserCtx } from '../../platform/context.ts'
import { atPrimary } from '../../platform/data/databases.ts'
import { notFound } from '../../platform/failures.ts'
import { sha256 } from '../../platform/security/crypto.ts'
import { isFollowing } from '../accounts/queries.ts'
import { blocks } from '../accounts/tables.ts'
import { changeGroup, joinGroup, previewLink } from './group.client.ts'
import type { LinkPreview } from './group-facts.ts'
import type { CreatedLink, GroupPreview, Joined, LinkCode, LinkCreation } from './group-views.ts'

const SECRET_BYTES = 16
const HOUR_MS = 3_600_000

type Place = { groupId: string }
type Code = z.infer<typeof LinkCode>

/** Each call replaces the link, so the one before is not valid any more. Only a hash is stored. */
export async function createGroupLink(
  ctx: UserCtx,
  { groupId, audience, approval, hours }: Place & LinkCreation,
): Promise<CreatedLink> {
  const bytes = crypto.getRandomValues(new Uint8Array(SECRET_BYTES))
  const secret = bytes.toBase64({ alphabet: 'base64url', omitPadding: true })
  const expiresAt = hours === undefined ? null : ctx.now() + hours * HOUR_MS
  const link = { audience, approval, expiresAt, hash: await hashOf(secret) }
  await changeGroup(ctx, groupId, ctx.viewer.id, { kind: 'link', link })
  const expires = expiresAt === null ? null : new Date(expiresAt).toISOString()
  return { audience, approval, expiresAt: expires, code: `${groupId}.${secret}` }
}

export async function revokeGroupLink(ctx: UserCtx, { groupId }: Place): Promise<void> {
  await changeGroup(ctx, groupId, ctx.viewer.id, { kind: 'link', link: null })
}

export async function previewGroup(ctx: UserCtx, { code }: Code): Promise<z.infer<typeof GroupPreview>> {
  const { preview } = await valid(ctx, code)
  return { name: preview.name, memberCount: preview.memberCount }
}

export async function joinGroupByLink(ctx: UserCtx, { code }: Code): Promise<z.infer<typeof Joined>> {
  const { conversationId, hash, preview } = await valid(ctx, code)
  const joining = { accountId: ctx.viewer.id, hash, ownerId: preview.ownerId }
  return { conversationId, outcome: await joinGroup(ctx, conversationId, joining) }
}

/** The same `not_found` for links that are wrong, revoked, expired, or not for the viewer. */
async function valid(ctx: UserCtx, code: string) {
  const [conversationId = '', secret = ''] = code.split('.')
  const hash = await hashOf(secret)
  const preview = await previewLink(ctx, conversationId, ctx.viewer.id, hash)
  if (!preview || !(await mayUse(ctx, preview))) throw notFound()
  return { conversationId, hash, preview }
}

async function mayUse(ctx: UserCtx, { audience, ownerId }: LinkPreview): Promise<boolean> {
  const { id } = ctx.viewer
  if (id === ownerId) return true
  if (audience === 'followed') return isFollowing(ctx, ownerId, id)
  const between = and(eq(blocks.accountId, id), eq(blocks.otherId, ownerId))
  return (await atPrimary(ctx).shardOf(id).$count(blocks, between)) === 0
}

const hashOf = async (secret: string) => (await sha256(secret)).toHex()
