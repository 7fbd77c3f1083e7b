import type { SystemCtx } from '../../platform/context.ts'
import { Failure } from '../../platform/failures.ts'
import { outbound } from '../../platform/security/outbound.ts'
import { retryAfterOf } from './schedule.ts'
import { signaturesOf } from './secrets.ts'

const DEADLINE_MS = 15_000
const MAX_ANSWER = 65_536

/** `at` is epoch ms. Without a status, `error` says why there was no answer. */
export type Outcome = {
  at: number
  durationMs: number
  status: number | null
  error: string | null
  answer: string | null
  retryAfterMs: number
}

type Target = { url: string; secrets: readonly string[] }

/** Sends a message once, as Standard Webhooks 1.0 describes. Each attempt has its own timestamp and signatures. */
export async function sendMessage(
  ctx: SystemCtx,
  { url, secrets }: Target,
  { id, body }: { id: number; body: string },
): Promise<Outcome> {
  const at = ctx.now()
  const [messageId, timestamp] = [`evt_${id}`, String(Math.floor(at / 1_000))]
  const headers = {
    'content-type': 'application/json',
    'user-agent': 'SocialConnect-Webhooks/1',
    'webhook-id': messageId,
    'webhook-timestamp': timestamp,
    'webhook-signature': await signaturesOf(secrets, `${messageId}.${timestamp}.${body}`),
  }
  const limits = { redirect: 'manual', deadlineMs: DEADLINE_MS, maxBytes: MAX_ANSWER, cutsBody: true } as const
  try {
    const response = await outbound(ctx, url, { method: 'POST', headers, body, ...limits, hasBreaker: true })
    const { status } = response
    const retryAfterMs = retryAfterOf(response.headers.get('retry-after'), ctx.now())
    return { at, durationMs: ctx.now() - at, status, error: null, answer: await response.text(), retryAfterMs }
  } catch (error) {
    const reason = error instanceof Failure ? (error.extra.errors?.[0]?.message ?? error.message) : 'no answer'
    return { at, durationMs: ctx.now() - at, status: null, error: reason, answer: null, retryAfterMs: 0 }
  }
}

export const isSuccess = ({ status }: Outcome) => status !== null && status >= 200 && status < 300
