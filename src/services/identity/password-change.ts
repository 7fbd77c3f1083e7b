import { z } from '@hono/zod-openapi'
import { and, eq, exists, isNull } from 'drizzle-orm'
import type { Ctx, UserCtx } from '../../platform/context.ts'
import { one, query } from '../../platform/data/conditions.ts'
import type { Id } from '../../platform/data/ids.ts'
import { record } from '../../platform/events/events.ts'
import { Failure } from '../../platform/failures.ts'
import { sealClient } from '../../platform/security/clients.ts'
import { openEmail } from './email.ts'
import { passwordChanged, type passwordReset } from './events.ts'
import { hasFactor } from './factors/factors.ts'
import { invalidCredentials } from './failures.ts'
import { requireOwnPassword } from './fresh-login.ts'
import { queueMail } from './mails.ts'
import { isPasswordOf } from './names.ts'
import { refreshTokens } from './oauth-tables.ts'
import { isLongEnough, Password, ReplacedPassword, requireStrong } from './password-rules.ts'
import { readPerson } from './people.ts'
import { revokeAllTokens } from './revocation.ts'
import { issueTokenPair } from './start-session.ts'
import { endLogins } from './statements.ts'
import { credentials } from './tables.ts'
import type { Tokens } from './views.ts'

export const PasswordChange = z
  .strictObject({
    currentPassword: Password.optional().openapi({ description: 'Required if the account has a password' }),
    password: ReplacedPassword,
  })
  .openapi('PasswordChange')
type PasswordChange = z.infer<typeof PasswordChange>

/** Ends every other login. This one goes on with new tokens. */
export async function changePassword(ctx: UserCtx, { currentPassword, password }: PasswordChange): Promise<Tokens> {
  const hash = await requireOwnPassword(ctx, currentPassword)
  // A stolen token must not be enough to add a way to log in.
  if (hash === null) throw new Failure('forbidden', 'the account has no password: `requestPasswordReset` sets one')
  const person = await readPerson(ctx, ctx.viewer.id)
  const changes = { password, event: passwordChanged, mail: 'password-changed', kept: ctx.viewer.sessionId } as const
  if (person?.hash !== hash || !(await replacePassword(ctx, person, changes))) throw new Failure(invalidCredentials)
  const renewed = await readPerson(ctx, ctx.viewer.id)
  const tokens =
    renewed && (await issueTokenPair(ctx, renewed, { sessionId: ctx.viewer.sessionId, isSuspended: false }))
  if (!tokens) throw new Failure(invalidCredentials)
  return tokens
}

type Owner = { id: Id; handle: string; sealedAddress: string; hash: string | null; hasFactor: boolean }
type Changes = {
  password: string
  event: typeof passwordChanged | typeof passwordReset
  mail: 'password-changed' | 'password-was-reset'
  /** The login that goes on. */
  kept?: string
}

const isHash = (hash: string | null) => (hash === null ? isNull(credentials.password) : eq(credentials.password, hash))

/** Returns when, or null if the password has changed since `owner` was read: of concurrent changes, one succeeds. */
export async function replacePassword(ctx: Ctx, owner: Owner, changes: Changes): Promise<number | null> {
  const accountId = owner.id
  const address = await openEmail(ctx, accountId, owner.sealedAddress)
  const { handle, hasFactor: isProtected } = owner
  await requireStrong(ctx, changes.password, { handle, address: address ?? '', hasFactor: isProtected })
  const { hashPassword } = await import('./passwords.ts')
  const hash = hashPassword(ctx.config, changes.password)
  const client = await sealClient(ctx, accountId)
  const db = ctx.db.directory
  const now = ctx.now()
  const isShort = !isLongEnough(changes.password)
  const own = isPasswordOf(accountId)
  // Hashes are salted, so no other change stores the same one.
  const isReplaced = exists(
    query
      .select(one)
      .from(credentials)
      .where(and(own, eq(credentials.password, hash))),
  )
  const [updated] = await db.commit([
    db
      .update(credentials)
      .set({ password: hash, updatedAt: new Date(now) })
      .where(and(own, isHash(owner.hash), isShort ? hasFactor(accountId) : undefined))
      .returning({ id: credentials.id }),
    ...endLogins(db, accountId, {
      at: now,
      when: isReplaced,
      kept: changes.kept,
      devices: true,
      changes: { passwordChangedAt: now, hasShortPassword: isShort },
    }),
    db.delete(refreshTokens).where(and(eq(refreshTokens.userId, accountId), isReplaced)),
    record(db, changes.event, { accountId, client }, isReplaced),
    ...queueMail(db, { accountId, kind: changes.mail }, isReplaced),
  ])
  if (updated.length === 0) return null
  await revokeAllTokens(ctx, { accountId })
  return now
}
