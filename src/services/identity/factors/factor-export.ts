import { count, eq } from 'drizzle-orm'
import type { SystemCtx } from '../../../platform/context.ts'
import type { Id } from '../../../platform/data/ids.ts'
import { classify, type ExportEntry, iso, jsonFile } from '../../../platform/personal-data.ts'
import { openAllFor } from '../../../platform/security/account-keys.ts'
import { passkeys, recoveryCodes, totpFactors, usedChallenges } from './factor-tables.ts'
import { PASSKEY_NAME } from './passkeys.ts'

export const factorsInventory = {
  ...classify(totpFactors, {
    accountId: 'owner',
    sealedSecret: 'secret',
    createdAt: 'technical',
    confirmedAt: 'exported',
    lastStep: 'technical',
  }),
  ...classify(recoveryCodes, { accountId: 'owner', code: 'secret', createdAt: 'technical' }),
  ...classify(passkeys, {
    id: 'technical',
    accountId: 'owner',
    credentialId: 'secret',
    publicKey: 'secret',
    signCount: 'technical',
    sealedName: 'exported',
    createdAt: 'exported',
    lastUsedAt: 'exported',
  }),
  ...classify(usedChallenges, { id: 'technical', until: 'technical' }),
}

export async function factorsFile(ctx: SystemCtx, accountId: Id): Promise<ExportEntry> {
  const { sealedName, createdAt, lastUsedAt } = passkeys
  const db = ctx.db.directory
  const [[totp], [codes], keys] = await db.batch([
    db.select({ at: totpFactors.confirmedAt }).from(totpFactors).where(eq(totpFactors.accountId, accountId)),
    db.select({ count: count() }).from(recoveryCodes).where(eq(recoveryCodes.accountId, accountId)),
    db.select({ sealedName, createdAt, lastUsedAt }).from(passkeys).where(eq(passkeys.accountId, accountId)),
  ])
  const sealed = keys.map((key) => key.sealedName)
  const names = await openAllFor(ctx, accountId, sealed, PASSKEY_NAME)
  return jsonFile('second-factors.json', {
    authenticatorAppSince: iso(totp?.at ?? null),
    recoveryCodes: codes?.count ?? 0,
    passkeys: keys.map((key, i) => ({
      name: names[i] ?? null,
      createdAt: iso(key.createdAt),
      lastUsedAt: iso(key.lastUsedAt),
    })),
  })
}
