import { z } from '@hono/zod-openapi'
import type { Ctx } from '../../platform/context.ts'
import { invalid, unavailable } from '../../platform/failures.ts'
import { outbound } from '../../platform/security/outbound.ts'
import { turnstileSecret, turnstileSiteKey, turnstileUrl } from './variables.ts'

export const TurnstileToken = z.string().max(2_048).openapi({
  description: 'Where `readRegistration` returns a `turnstileSiteKey`: the token that its widget returned',
})

type Action = 'register' | 'reset' | 'login'
type Verdict = 'solved' | 'refused' | 'unavailable'

const Answer = z.object({
  success: z.boolean(),
  action: z.string().optional(),
  'error-codes': z.array(z.string()).default([]),
})
const NOT_OF_TOKEN = ['missing-input-secret', 'invalid-input-secret', 'bad-request', 'internal-error']

export function turnstileKeys(ctx: Pick<Ctx, 'env'>): { siteKey: string; secret: string } | null {
  const [siteKey, secret] = [turnstileSiteKey(ctx), turnstileSecret(ctx)]
  if (siteKey && secret) return { siteKey, secret }
  if (siteKey || secret) throw new Error('set both TURNSTILE_SITE_KEY and TURNSTILE_SECRET, or neither')
  return null
}

/** Whether the token solves a challenge for the action. False where Turnstile is not configured or does not respond. */
export async function verifyTurnstile(ctx: Ctx, token: string | undefined, action: Action): Promise<boolean> {
  return (await judge(ctx, token, action)) === 'solved'
}

/** While Turnstile is down, only a reset, which has other limits, passes: bots might get in by overloading it. */
export async function requireTurnstile(ctx: Ctx, token: string | undefined, action: Action): Promise<void> {
  if (!turnstileKeys(ctx)) return
  const verdict = await judge(ctx, token, action)
  if (verdict === 'refused') throw invalid('turnstileToken', 'must be the token of a solved challenge')
  if (verdict === 'unavailable' && action !== 'reset') throw unavailable(30, 'the check for bots is unavailable')
}

async function judge(ctx: Ctx, token: string | undefined, action: Action): Promise<Verdict> {
  const keys = turnstileKeys(ctx)
  if (!keys || !token) return 'refused'
  const answer = await ask(ctx, keys.secret, token).catch((error: unknown) => {
    ctx.log.error('Turnstile does not respond', { error })
    return null
  })
  if (!answer) return 'unavailable'
  const codes = answer['error-codes']
  if (codes.some((code) => NOT_OF_TOKEN.includes(code))) {
    ctx.log.error('Turnstile cannot check tokens', { codes })
    return 'unavailable'
  }
  // Cloudflare's test keys, which are for development, return no action.
  const isOther = answer.action !== action && !(ctx.config.ENVIRONMENT === 'development' && !answer.action)
  return answer.success && !isOther ? 'solved' : 'refused'
}

async function ask(ctx: Ctx, secret: string, token: string) {
  const key = crypto.randomUUID()
  const response = await outbound(ctx, turnstileUrl(ctx), {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'idempotency-key': key },
    body: JSON.stringify({ secret, response: token, remoteip: ctx.client?.address ?? undefined, idempotency_key: key }),
  })
  return Answer.parse(await response.json())
}
