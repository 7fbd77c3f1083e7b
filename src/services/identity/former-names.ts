import { eq } from 'drizzle-orm'
import type { SystemCtx } from '../../platform/context.ts'
import type { Id } from '../../platform/data/ids.ts'
import { classify, iso } from '../../platform/personal-data.ts'
import { openEmail } from './email.ts'
import { addressChanges, formerAddresses, formerHandles, mailLimits } from './tables.ts'

export const formerNamesInventory = {
  ...classify(formerHandles, { handle: 'exported', accountId: 'owner', until: 'exported' }),
  ...classify(addressChanges, { accountId: 'owner', address: 'secret', sealedAddress: 'exported', until: 'exported' }),
  ...classify(formerAddresses, {
    accountId: 'owner',
    address: 'secret',
    sealedAddress: 'exported',
    leftAt: 'exported',
    until: 'exported',
  }),
  ...classify(mailLimits, { accountId: 'owner', mailedAt: 'technical', hourBegan: 'technical', mails: 'technical' }),
}

/** The handles and addresses that the account gave up or is about to take, for an export. */
export async function formerNames(ctx: SystemCtx, accountId: Id): Promise<object> {
  const db = ctx.db.directory
  const [former, pending, left] = await db.batch([
    db.select().from(formerHandles).where(eq(formerHandles.accountId, accountId)),
    db.select().from(addressChanges).where(eq(addressChanges.accountId, accountId)),
    db.select().from(formerAddresses).where(eq(formerAddresses.accountId, accountId)),
  ])
  const opened = (sealed: string) => openEmail(ctx, accountId, sealed)
  return {
    handles: former.map(({ handle, until }) => ({ handle, until: iso(until) })),
    pendingAddresses: await Promise.all(
      pending.map(async ({ sealedAddress, until }) => ({ address: await opened(sealedAddress), until: iso(until) })),
    ),
    addresses: await Promise.all(
      left.map(async ({ sealedAddress, leftAt, until }) => ({
        address: await opened(sealedAddress),
        leftAt: iso(leftAt),
        until: iso(until),
      })),
    ),
  }
}
