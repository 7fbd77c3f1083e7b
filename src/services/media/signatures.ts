import { z } from '@hono/zod-openapi'
import type { Ctx, SystemCtx } from '../../platform/context.ts'
import { Id } from '../../platform/data/ids.ts'
import { sign, verifySignature } from '../../platform/security/crypto.ts'

const VALID_S = 300
/** Expiries fall on whole minutes, so that an address stays the same, and cached, for a minute. */
const STEP_S = 60

/** What stands in for a token in the address of an image, since an `<img>` sends none. */
export const SignedQuery = z.strictObject({
  viewer: z.string().max(16).optional(),
  expires: z.string().max(12).optional(),
  signature: z.string().max(64).optional(),
})
export type SignedQuery = z.infer<typeof SignedQuery>

/** A query that lets its holder ask for the media as the viewer does, for four to five minutes. */
export async function signedQuery(ctx: SystemCtx, mediaId: Id, viewer: Id): Promise<string> {
  const expires = String(Math.floor(ctx.now() / 1_000 / STEP_S) * STEP_S + VALID_S)
  const signature = await sign(ctx.config, 'media', signedText(mediaId, viewer, expires))
  return `?${new URLSearchParams({ viewer, expires, signature })}`
}

/** The viewer that a query speaks for; null when it is incomplete, altered, expired, or presented by somebody else. */
export async function signedViewer(ctx: Ctx, mediaId: Id, query: SignedQuery): Promise<Id | null> {
  const { viewer = '', expires = '', signature = '' } = query
  const holds = await verifySignature(ctx.config, 'media', signedText(mediaId, viewer, expires), signature)
  if (!holds || Number(expires) * 1_000 <= ctx.now()) return null
  const signed = Id.parse(viewer)
  return ctx.viewer === null || ctx.viewer.id === signed ? signed : null
}

function signedText(mediaId: Id, viewer: string, expires: string): string {
  return `${mediaId} ${viewer} ${expires}`
}
