import { z } from '@hono/zod-openapi'
import type { Ctx } from '../../../platform/context.ts'
import { Id } from '../../../platform/data/ids.ts'
import { invalid, notFound } from '../../../platform/failures.ts'
import { open, seal } from '../../../platform/security/crypto.ts'
import { usedChallenges } from '../factors/factor-tables.ts'
import { FLOW_MINUTES } from '../lifetimes.ts'
import { loginProviders } from '../variables.ts'
import type { Provider } from './provider-list.ts'

const CONTEXT = 'flow at a provider'
const purposes = ['login', 'link', 'confirm'] as const

const Flow = z.object({
  id: z.string(),
  providerId: z.string(),
  purpose: z.enum(purposes),
  state: z.string(),
  nonce: z.string(),
  verifier: z.string(),
  startedAt: z.number(),
  /** The login that started the flow; null for `login`. */
  owner: z.object({ id: Id, sessionId: z.string() }).nullable(),
})
export type Flow = z.infer<typeof Flow>
export type Purpose = Flow['purpose']

export const ProviderPath = z.object({ providerId: z.string().max(20) })

export const callbackShape = {
  flow: z.string().max(2_000).openapi({ description: 'From the response that started the flow, in the same client' }),
  code: z.string().min(1).max(4_096),
  state: z.string().min(1).max(200),
  iss: z.string().max(300).optional().openapi({ description: 'If the provider has sent it (RFC 9207)' }),
}
const Callback = z.object(callbackShape)
export type Callback = z.infer<typeof Callback>

export function providerOf(ctx: Ctx, providerId: string): Provider {
  const provider = loginProviders(ctx).find(({ id }) => id === providerId)
  if (!provider) throw notFound()
  return provider
}

export function newFlow(ctx: Ctx, provider: Provider, purpose: Purpose): Flow {
  const { viewer } = ctx
  return {
    id: crypto.randomUUID(),
    providerId: provider.id,
    purpose,
    state: randomText(),
    nonce: randomText(),
    verifier: randomText(),
    startedAt: ctx.now(),
    owner: viewer && purpose !== 'login' ? { id: viewer.id, sessionId: viewer.sessionId } : null,
  }
}

/** Encrypted, so that the client that keeps it learns nothing from it that the provider requires of us. */
export function sealFlow(ctx: Ctx, flow: Flow): Promise<string> {
  return seal(ctx.config, JSON.stringify(flow), CONTEXT)
}

/** Throws `invalid` unless the client started this flow, for this purpose and login, and the callback belongs to it. */
export async function readFlow(ctx: Ctx, { flow: sealed, state, iss }: Callback, allowed: readonly Purpose[]) {
  const text = await open(ctx.config, sealed, CONTEXT).catch(() => null)
  if (text === null) throw invalid('flow', 'is not one that was started here; start again')
  const flow = Flow.parse(JSON.parse(text))
  const provider = loginProviders(ctx).find(({ id }) => id === flow.providerId)
  if (!provider) throw invalid('flow', 'belongs to a provider that is no longer offered')
  if (!allowed.includes(flow.purpose)) throw invalid('flow', `was started for another purpose: ${flow.purpose}`)
  if (!isOwner(flow, ctx)) throw invalid('flow', 'was started by another login')
  if (ctx.now() > endOf(flow)) throw invalid('flow', `has expired after ${FLOW_MINUTES} minutes; start again`)
  if (state !== flow.state) throw invalid('state', 'belongs to another flow, or to one of another browser; start again')
  if (iss !== undefined && iss !== provider.issuer) throw invalid('iss', 'is not the provider at which the flow began')
  return { flow, provider }
}

const isOwner = ({ owner }: Flow, { viewer }: Ctx) =>
  owner === null || (owner.id === viewer?.id && owner.sessionId === viewer.sessionId)

const endOf = ({ startedAt }: Flow) => startedAt + FLOW_MINUTES * 60_000

/** Of concurrent callbacks, one succeeds. */
export async function useFlow(ctx: Ctx, flow: Flow): Promise<void> {
  const row = { id: flow.id, until: endOf(flow) }
  const used = await ctx.db.directory.insert(usedChallenges).values(row).onConflictDoNothing().returning()
  if (used.length === 0) throw invalid('flow', 'was already used; start again')
}

const randomText = () =>
  crypto.getRandomValues(new Uint8Array(32)).toBase64({ alphabet: 'base64url', omitPadding: true })
