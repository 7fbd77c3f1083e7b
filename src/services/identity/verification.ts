import { and, eq } from 'drizzle-orm'
import type { SystemCtx } from '../../platform/context.ts'
import { atPrimary } from '../../platform/data/databases.ts'
import { Id } from '../../platform/data/ids.ts'
import { sign, verifySignature } from '../../platform/security/crypto.ts'
import { VERIFICATION_HOURS } from './lifetimes.ts'
import { credentials, users } from './tables.ts'

const PURPOSE = 'verify address'
const LIFE_MS = VERIFICATION_HOURS * 3_600_000

type Pending = { accountId: Id; address: string }

/** A token that proves that its holder receives email at `address` (a blind index). */
export async function verificationToken(ctx: SystemCtx, pending: Pending): Promise<string> {
  const until = ctx.now() + LIFE_MS
  return `${pending.accountId}.${until}.${await sign(ctx.config, PURPOSE, textOf(pending, until))}`
}

export async function readVerificationToken(ctx: SystemCtx, token: string) {
  const [account, until, signature] = token.split('.')
  const accountId = Id.safeParse(account)
  if (!accountId.success || !(Number(until) > ctx.now())) return null
  const [user] = await atPrimary(ctx)
    .directory.select({ address: users.email, hash: credentials.password })
    .from(users)
    .innerJoin(credentials, and(eq(credentials.userId, users.id), eq(credentials.providerId, 'credential')))
    .where(and(eq(users.id, accountId.data), eq(users.emailVerified, false)))
  if (!user) return null
  const pending = { accountId: accountId.data, ...user }
  const isValid = await verifySignature(ctx.config, PURPOSE, textOf(pending, Number(until)), signature ?? '')
  return isValid ? pending : null
}

function textOf({ accountId, address }: Pending, until: number): string {
  return `${accountId} ${address} ${until}`
}
