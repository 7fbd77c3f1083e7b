import { z } from '@hono/zod-openapi'
import type { Ctx, SystemCtx } from '../../platform/context.ts'
import { Id } from '../../platform/data/ids.ts'
import { queryInteger } from '../../platform/data/query-integer.ts'
import { sign, verifySignature } from '../../platform/security/crypto.ts'

/** A URL stays the same for half an hour, so that it can be cached, and is valid for an hour after that. */
export const STEP_S = 1_800
export const VALID_S = STEP_S + 3_600

/** The query of a signed image URL. It authenticates the reader, because `<img>` sends no access token. */
export const SignedQuery = z.strictObject({
  viewer: z.string().max(16).optional(),
  expires: queryInteger().optional(),
  signature: z.string().max(64).optional(),
})
export type SignedQuery = z.infer<typeof SignedQuery>

export async function signedQuery(ctx: SystemCtx, mediaId: Id, viewer: Id): Promise<string> {
  const expires = Math.floor(ctx.now() / 1_000 / STEP_S) * STEP_S + VALID_S
  const signature = await sign(ctx.config, 'media', signedText(mediaId, viewer, expires))
  return `?${new URLSearchParams({ viewer, expires: String(expires), signature })}`
}

/** The account that a URL is signed for. Null if the query is invalid or expired, or the caller is another account. */
export async function signedViewer(ctx: Ctx, mediaId: Id, query: SignedQuery): Promise<Id | null> {
  const { viewer = '', expires = 0, signature = '' } = query
  const isValid = await verifySignature(ctx.config, 'media', signedText(mediaId, viewer, expires), signature)
  if (!isValid || expires * 1_000 <= ctx.now()) return null
  const signed = Id.parse(viewer)
  return ctx.viewer === null || ctx.viewer.id === signed ? signed : null
}

function signedText(mediaId: Id, viewer: string, expires: number): string {
  return `${mediaId} ${viewer} ${expires}`
}
