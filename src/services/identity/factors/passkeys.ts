import { z } from '@hono/zod-openapi'
import { and, asc, count, eq, lt } from 'drizzle-orm'
import type { UserCtx } from '../../../platform/context.ts'
import { changed, failUnless, query, refusals, rowIf, violates } from '../../../platform/data/conditions.ts'
import { atPrimary } from '../../../platform/data/databases.ts'
import type { Id } from '../../../platform/data/ids.ts'
import { cleanLine } from '../../../platform/data/text.ts'
import { Failure, invalid, notFound } from '../../../platform/failures.ts'
import { openAllFor, sealFor } from '../../../platform/security/account-keys.ts'
import { tooManyPasskeys } from '../failures.ts'
import { MAX_PASSKEYS } from '../lifetimes.ts'
import { ChallengeToken, readChallenge, useChallenge, wrongChallenge } from './challenges.ts'
import { addFactor, refusedChanges, removeFactor } from './factor-changes.ts'
import { passkeys, usedChallenges } from './factor-tables.ts'
import { ownLogin, PasskeyCredential, verifiedPasskey } from './passkey-registration.ts'

export const PASSKEY_NAME = 'passkey name'
const TOO_MANY = 'too_many'

export const Passkey = z
  .object({
    id: z.string(),
    name: z.string(),
    createdAt: z.iso.datetime(),
    lastUsedAt: z.iso.datetime().nullable().openapi({ description: 'When it last logged in or confirmed a login' }),
  })
  .openapi('Passkey', { example: { id: '1b4e28ba-2fa1-4d3b-9f0e-5c2d7a6b8c90', name: 'My phone', lastUsedAt: null } })
type Passkey = z.infer<typeof Passkey>

export const Passkeys = z.object({ items: z.array(Passkey) }).openapi('Passkeys')
type Passkeys = z.infer<typeof Passkeys>

export const PasskeyPath = z.object({ passkeyId: z.string().max(64) })
const Name = z.string().trim().min(1).max(50)

export async function listPasskeys(ctx: UserCtx): Promise<Passkeys> {
  const rows = await atPrimary(ctx)
    .directory.select({
      id: passkeys.id,
      sealedName: passkeys.sealedName,
      createdAt: passkeys.createdAt,
      lastUsedAt: passkeys.lastUsedAt,
    })
    .from(passkeys)
    .where(eq(passkeys.accountId, ctx.viewer.id))
    .orderBy(asc(passkeys.createdAt))
  const sealed = rows.map(({ sealedName }) => sealedName)
  const names = await openAllFor(ctx, ctx.viewer.id, sealed, PASSKEY_NAME)
  return { items: rows.map((row, i) => viewOf({ ...row, name: names[i] ?? '' })) }
}

export const PasskeyAddition = z
  .strictObject({ challenge: ChallengeToken, name: Name, passkey: PasskeyCredential })
  .openapi('PasskeyAddition')
type PasskeyAddition = z.infer<typeof PasskeyAddition>

export const AddedPasskey = Passkey.extend({
  recoveryCodes: z.array(z.string()).nullable().openapi({
    description: 'Returned only once, with the first second factor of the account',
  }),
}).openapi('AddedPasskey', { example: { recoveryCodes: null } })
type AddedPasskey = z.infer<typeof AddedPasskey>

export async function addPasskey(ctx: UserCtx, { challenge: token, ...input }: PasskeyAddition): Promise<AddedPasskey> {
  const accountId = ctx.viewer.id
  const name = cleanName(input.name)
  const challenge = await readChallenge(ctx, 'new passkey', token)
  if (challenge.subject !== ownLogin(ctx)) throw wrongChallenge()
  const credential = await verifiedPasskey(ctx, input.passkey, token)
  const times = { createdAt: ctx.now(), lastUsedAt: null }
  const sealedName = await sealFor(ctx, accountId, name, PASSKEY_NAME)
  const row = { id: crypto.randomUUID(), accountId, sealedName, ...credential, ...times }
  const own = query.select({ count: count() }).from(passkeys).where(eq(passkeys.accountId, accountId))
  const db = ctx.db.directory
  const insert = db.insert(passkeys).select(rowIf(passkeys, row, lt(own, MAX_PASSKEYS)))
  const insertion = [useChallenge(db, challenge), insert, failUnless(db, changed, TOO_MANY)] as const
  const added = { factor: 'passkey', id: row.id } as const
  const recoveryCodes = await addFactor(ctx, added, [...insertion], refuseAddition)
  return { ...viewOf({ id: row.id, name, ...times }), recoveryCodes }
}

function refuseAddition(error: unknown): never {
  if (violates(error, usedChallenges.id)) throw wrongChallenge()
  if (violates(error, passkeys.credentialId)) throw invalid('passkey', 'belongs to an account already')
  return refusals({ ...refusedChanges, [TOO_MANY]: () => new Failure(tooManyPasskeys) })(error)
}

export const PasskeyName = z.strictObject({ name: Name }).openapi('PasskeyName')
type Renaming = { passkeyId: string; name: string }

export async function renamePasskey(ctx: UserCtx, { passkeyId, name: typed }: Renaming): Promise<Passkey> {
  const accountId = ctx.viewer.id
  const name = cleanName(typed)
  const sealedName = await sealFor(ctx, accountId, name, PASSKEY_NAME)
  const [row] = await ctx.db.directory
    .update(passkeys)
    .set({ sealedName })
    .where(isOwn(accountId, passkeyId))
    .returning({ id: passkeys.id, createdAt: passkeys.createdAt, lastUsedAt: passkeys.lastUsedAt })
  if (!row) throw notFound()
  return viewOf({ ...row, name })
}

export async function removePasskey(ctx: UserCtx, { passkeyId }: { passkeyId: string }): Promise<void> {
  await removeFactor(ctx, 'passkey', ctx.db.directory.delete(passkeys).where(isOwn(ctx.viewer.id, passkeyId)))
}

const isOwn = (accountId: Id, passkeyId: string) => and(eq(passkeys.id, passkeyId), eq(passkeys.accountId, accountId))

function cleanName(typed: string): string {
  const name = cleanLine('name', typed)
  if (name === '') throw invalid('name', 'is required')
  return name
}

type Row = { id: string; name: string; createdAt: number; lastUsedAt: number | null }

function viewOf({ id, name, createdAt, lastUsedAt }: Row): Passkey {
  return {
    id,
    name,
    createdAt: new Date(createdAt).toISOString(),
    lastUsedAt: lastUsedAt === null ? null : new Date(lastUsedAt).toISOString(),
  }
}
