import type { Ctx } from '../../platform/context.ts'
import { Id } from '../../platform/data/ids.ts'
import { record } from '../../platform/events/events.ts'
import { Failure } from '../../platform/failures.ts'
import { clientIpOf } from '../../platform/http/client-ip.ts'
import { sealClient } from '../../platform/security/clients.ts'
import { blindIndex } from '../../platform/security/crypto.ts'
import {
  type Allowance,
  type ClientIp,
  isUsedUp,
  type Limit,
  refund,
  trySpend,
} from '../../platform/security/rate-limit.ts'
import { type LoginStep, loginFailed, loginRefused } from './events.ts'
import { loginChallengeRequired } from './failures.ts'
import {
  challengedLoginLimit,
  loginLimit,
  loginPerDeviceLimit,
  loginPerNameLimit,
  notedFailuresLimit,
  notedRefusalLimit,
} from './limits.ts'
import { verifyTurnstile } from './turnstile.ts'

const NOTED_FAILURES = 5
// Encrypts for unknown names too, so that they cost the same; the result is dropped, because no erasure would reach it.
const NOBODY = Id.parse('1')

type Attempt = { identifier: string; deviceId: string | null; turnstileToken?: string | undefined }
type Counter = { limit: Limit; key: string | ClientIp }
type Guess = { isRight: boolean; accountId: Id | null }

/**
 * Runs `check`. After too many wrong guesses, only a known device or a solved challenge gets that far. A guess is counted
 * before its check, so that concurrent ones cannot exceed a limit, and given back unless it turns out to be wrong.
 */
export async function checkGuess<T extends Guess>(ctx: Ctx, attempt: Attempt, check: () => Promise<T>): Promise<T> {
  const { giveBack, limit, allowance } = await countGuess(ctx, attempt)
  const guess = await check().catch((error: unknown) => {
    giveBack()
    throw error
  })
  if (guess.isRight) giveBack()
  else await noteFailure(ctx, limit, allowance, { accountId: guess.accountId, step: 'login' })
  return guess
}

async function countGuess(ctx: Ctx, { identifier, deviceId, turnstileToken }: Attempt) {
  const byDevice = deviceId === null ? null : await count(ctx, [{ limit: loginPerDeviceLimit, key: deviceId }])
  if (byDevice) return byDevice
  // Per name, not per account: a limit shared by handle and address would reveal that they belong together.
  const name = await blindIndex(ctx.config, 'login', identifier)
  // The address first: an address that is used up must not use up the name too.
  const address = clientIpOf(ctx.client?.address ?? undefined)
  const counters = [
    { limit: loginLimit, key: address },
    { limit: loginPerNameLimit, key: name },
  ]
  const counted = isUsedUp(ctx, loginPerNameLimit, name) ? null : await count(ctx, counters)
  if (counted) return counted
  const isSolved = await verifyTurnstile(ctx, turnstileToken, 'login')
  const challenged = isSolved ? await count(ctx, [{ limit: challengedLoginLimit, key: name }]) : null
  if (challenged) return challenged
  throw new Failure(loginChallengeRequired)
}

async function count(ctx: Ctx, counters: Counter[]) {
  const allowances: Allowance[] = []
  const giveBack = () =>
    ctx.defer(() => Promise.all(allowances.map((given, i) => refund(ctx, counters[i]!.limit, counters[i]!.key, given))))
  for (const { limit, key } of counters) {
    const allowance = await trySpend(ctx, limit, key).catch((error: unknown) => {
      giveBack()
      throw error
    })
    if (allowance === null) {
      giveBack()
      return null
    }
    allowances.push(allowance)
  }
  return { limit: counters.at(-1)!.limit, allowance: allowances.at(-1)!, giveBack }
}

/** Only the first failures of an hour and the last one are noted, so that a guesser cannot fill the audit log. */
async function isNoteworthy(ctx: Ctx, { quota }: Limit, { counted }: Allowance): Promise<boolean> {
  const remaining = counted?.remaining ?? 0
  if (remaining === 0) return true
  if (quota - remaining > NOTED_FAILURES) return false
  // Each of many random names has first failures, so they are limited per address too.
  const address = clientIpOf(ctx.client?.address ?? undefined)
  return (await trySpend(ctx, notedFailuresLimit, address)) !== null
}

export type FailedLogin = { accountId: Id | null; actorId?: Id; step: LoginStep }

export async function noteFailure(ctx: Ctx, limit: Limit, counted: Allowance, failed: FailedLogin): Promise<void> {
  if (!(await isNoteworthy(ctx, limit, counted))) return
  const db = ctx.db.directory
  const sealed = await sealClient(ctx, failed.accountId ?? NOBODY)
  await db.commit([record(db, loginFailed, { ...failed, client: failed.accountId === null ? null : sealed })])
}

type Refused = { accountId: Id; reason: 'awaiting_approval' }

export async function noteRefusal(ctx: Ctx, { accountId, reason }: Refused): Promise<void> {
  if (!(await trySpend(ctx, notedRefusalLimit, accountId))) return
  const db = ctx.db.directory
  const client = await sealClient(ctx, accountId)
  await db.commit([record(db, loginRefused, { accountId, reason, client })])
}
