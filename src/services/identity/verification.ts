import { and, eq, isNull, ne, or } from 'drizzle-orm'
import type { SystemCtx } from '../../platform/context.ts'
import { atPrimary } from '../../platform/data/databases.ts'
import { Id } from '../../platform/data/ids.ts'
import { sign, verifySignature } from '../../platform/security/crypto.ts'
import { VERIFICATION_MINUTES } from './lifetimes.ts'
import { credentials, users } from './tables.ts'

const PURPOSE = 'verify address'
const REGISTRATION = 'registration'
export const RESERVATION_MS = VERIFICATION_MINUTES * 60_000

const isNotRefused = or(isNull(users.approval), ne(users.approval, 'refused'))

type Pending = { accountId: Id; address: string }

/** A token that proves that its holder receives email at `address` (a blind index). */
export async function verificationToken(ctx: SystemCtx, pending: Pending): Promise<string> {
  const until = ctx.now() + RESERVATION_MS
  return `${pending.accountId}.${until}.${await sign(ctx.config, PURPOSE, textOf(pending, until))}`
}

export function isExpired(ctx: SystemCtx, token: string): boolean {
  return Number(token.split('.')[1]) <= ctx.now()
}

export async function readVerificationToken(ctx: SystemCtx, token: string) {
  const [account, until, signature] = token.split('.')
  const accountId = Id.safeParse(account)
  if (!accountId.success || !(Number(until) > ctx.now())) return null
  const [user] = await atPrimary(ctx)
    .directory.select({ address: users.email, hash: credentials.password })
    .from(users)
    .innerJoin(credentials, and(eq(credentials.userId, users.id), eq(credentials.providerId, 'credential')))
    .where(and(eq(users.id, accountId.data), eq(users.emailVerified, false), isNotRefused))
  if (!user) return null
  const pending = { accountId: accountId.data, ...user }
  const isValid = await verifySignature(ctx.config, PURPOSE, textOf(pending, Number(until)), signature ?? '')
  return isValid ? pending : null
}

/** Proves that its holder registered the account, and so knows the password of this registration. */
export function registrationToken(ctx: SystemCtx, accountId: Id): Promise<string> {
  return sign(ctx.config, REGISTRATION, accountId)
}

export function isRegistrationToken(ctx: SystemCtx, accountId: Id, token: string): Promise<boolean> {
  return verifySignature(ctx.config, REGISTRATION, accountId, token)
}

function textOf({ accountId, address }: Pending, until: number): string {
  return `${accountId} ${address} ${until}`
}
