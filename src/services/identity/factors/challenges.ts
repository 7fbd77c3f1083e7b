import { z } from '@hono/zod-openapi'
import { eq } from 'drizzle-orm'
import type { SystemCtx } from '../../../platform/context.ts'
import { atPrimary, type Database } from '../../../platform/data/databases.ts'
import { type Failure, invalid } from '../../../platform/failures.ts'
import { digest, sign, verifySignature } from '../../../platform/security/crypto.ts'
import { CHALLENGE_MINUTES } from '../lifetimes.ts'
import { usedChallenges } from './factor-tables.ts'

export const ChallengeToken = z
  .string()
  .max(200)
  .openapi({ description: `Works once, within ${CHALLENGE_MINUTES} minutes` })

type Purpose = 'second factor' | 'passkey login' | 'new passkey' | 'confirmation'
/** `subject`: whom the challenge is for, such as the account and its login. */
export type Challenge = { id: string; subject: string; issuedAt: number; until: number }
const LIFE_MS = CHALLENGE_MINUTES * 60_000

export async function newChallenge(ctx: SystemCtx, purpose: Purpose, subject: string): Promise<string> {
  const text = `${crypto.randomUUID()}.${subject}.${ctx.now() + LIFE_MS}`
  return `${text}.${await sign(ctx.config, `challenge: ${purpose}`, text)}`
}

/** Throws the failure of a wrong challenge unless it is ours, for this purpose, and has not expired. */
export async function readChallenge(ctx: SystemCtx, purpose: Purpose, token: string): Promise<Challenge> {
  const [id = '', subject = '', until = '', signature = '', ...rest] = token.split('.')
  const isGenuine = await verifySignature(ctx.config, `challenge: ${purpose}`, `${id}.${subject}.${until}`, signature)
  if (!isGenuine || rest.length > 0 || Number(until) <= ctx.now()) throw wrongChallenge()
  return { id, subject, issuedAt: Number(until) - LIFE_MS, until: Number(until) }
}

/** Fails its batch if the challenge was used before: `refuseUsed` turns that into a failure. */
export function useChallenge(db: Database, { id, until }: Challenge) {
  return db.insert(usedChallenges).values({ id, until })
}

/** Throws the failure of a wrong challenge if it was used before. */
export async function requireUnused(ctx: SystemCtx, token: string): Promise<void> {
  const [id = ''] = token.split('.')
  const used = await atPrimary(ctx).directory.$count(usedChallenges, eq(usedChallenges.id, id))
  if (used > 0) throw wrongChallenge()
}

/** The same failure for every wrong challenge: the client has to start again in any case. */
export function wrongChallenge(): Failure {
  return invalid('challenge', 'is wrong, expired or already used; start again')
}

/** What an authenticator signs. Who sees only that cannot use it, because the token is needed too. */
export async function signedBy(token: string): Promise<string> {
  return digest(token)
}
