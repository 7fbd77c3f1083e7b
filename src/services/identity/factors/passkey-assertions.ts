import { and, eq } from 'drizzle-orm'
import type { BatchItem } from 'drizzle-orm/batch'
import type { Ctx, SystemCtx } from '../../../platform/context.ts'
import { changed, failUnless } from '../../../platform/data/conditions.ts'
import { atPrimary } from '../../../platform/data/databases.ts'
import type { Id } from '../../../platform/data/ids.ts'
import { record } from '../../../platform/events/events.ts'
import { sealClient } from '../../../platform/security/clients.ts'
import { passkeyRefused } from '../events.ts'
import { requireUnused, signedBy } from './challenges.ts'
import { passkeys } from './factor-tables.ts'
import { type PasskeyAssertion, relyingParty } from './passkey-options.ts'

/** The code with which a batch fails if another request used the proof first. */
export const USED = 'used_proof'

type Passkey = typeof passkeys.$inferSelect

export async function findPasskey(ctx: SystemCtx, credentialId: string): Promise<Passkey | undefined> {
  const [passkey] = await atPrimary(ctx)
    .directory.select()
    .from(passkeys)
    .where(eq(passkeys.credentialId, credentialId))
  return passkey
}

/** Like `proofUse`, for a passkey of the account that signed the challenge `token`. */
export async function passkeyUse(ctx: Ctx, accountId: Id, assertion: PasskeyAssertion, token: string) {
  const passkey = await findPasskey(ctx, assertion.id)
  return passkey?.accountId === accountId ? assertionUse(ctx, passkey, assertion, token) : null
}

/** A counter that does not grow belongs to a repeated request or a copy of the passkey, unless the authenticator has none. */
export async function assertionUse(
  ctx: Ctx,
  passkey: Passkey,
  assertion: PasskeyAssertion,
  token: string,
): Promise<BatchItem<'sqlite'>[] | null> {
  const signCount = await verifiedCount(ctx, passkey, assertion, token)
  if (signCount === null) return null
  const db = ctx.db.directory
  if (signCount <= passkey.signCount && Math.max(signCount, passkey.signCount) > 0) {
    await requireUnused(ctx, token)
    const { accountId, id: passkeyId } = passkey
    const client = await sealClient(ctx, accountId)
    await db.commit([record(db, passkeyRefused, { accountId, passkeyId, client })])
    return null
  }
  const isSame = and(eq(passkeys.id, passkey.id), eq(passkeys.signCount, passkey.signCount))
  return [db.update(passkeys).set({ signCount, lastUsedAt: ctx.now() }).where(isSame), failUnless(db, changed, USED)]
}

/** The counter of the authenticator; null unless the passkey signed the challenge for this site, with user verification. */
async function verifiedCount(
  ctx: Ctx,
  { accountId, credentialId, publicKey }: Passkey,
  { id, userHandle, ...response }: PasskeyAssertion,
  token: string,
): Promise<number | null> {
  if (userHandle && userHandle !== userHandleOf(accountId)) return null
  const { verifyAuthenticationResponse } = await import('@simplewebauthn/server')
  const { rpId, origin } = relyingParty(ctx)
  const verified = await verifyAuthenticationResponse({
    response: { id, rawId: id, type: 'public-key', response, clientExtensionResults: {} },
    expectedChallenge: await signedBy(token),
    expectedOrigin: origin,
    expectedRPID: rpId,
    // The counter is compared above, because a copied passkey is audited.
    credential: {
      id: credentialId,
      publicKey: Uint8Array.fromBase64(publicKey, { alphabet: 'base64url' }),
      counter: 0,
    },
  }).catch((error: unknown) => {
    ctx.log.info('a passkey was refused', { error })
    return null
  })
  return verified?.verified ? verified.authenticationInfo.newCounter : null
}

export function userHandleOf(accountId: Id): string {
  return new TextEncoder().encode(accountId).toBase64({ alphabet: 'base64url', omitPadding: true })
}
