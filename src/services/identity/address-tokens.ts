import { and, eq, gt } from 'drizzle-orm'
import type { SystemCtx } from '../../platform/context.ts'
import { atPrimary } from '../../platform/data/databases.ts'
import type { Id } from '../../platform/data/ids.ts'
import { badToken, isGenuine, mailedToken, partsOf } from './mailed-tokens.ts'
import { addressChanges, formerAddresses, users } from './tables.ts'

const CONFIRM = 'confirm address'
const UNDO = 'undo change of address'

/** The change to `address` (a blind index), unless another one has replaced it: each address gets its own token only. */
export async function readPendingAddress(ctx: SystemCtx, accountId: Id, address: string | null) {
  if (address === null) return null
  const { directory } = atPrimary(ctx)
  const isPending = and(eq(addressChanges.accountId, accountId), eq(addressChanges.address, address))
  const [[change], taken] = await directory.batch([
    directory
      .select({ until: addressChanges.until })
      .from(addressChanges)
      .where(and(isPending, gt(addressChanges.until, ctx.now()))),
    directory
      .select({ id: users.id })
      .from(users)
      .where(and(eq(users.email, address), eq(users.emailVerified, true))),
  ])
  if (!change) return null
  const token = await mailedToken(ctx, CONFIRM, { accountId, until: change.until, state: address })
  return { isTaken: taken.length > 0, token }
}

export async function readConfirmedChange(ctx: SystemCtx, token: string) {
  const parts = partsOf(ctx, token)
  const { directory } = atPrimary(ctx)
  const [[change], [user]] = await directory.batch([
    directory.select().from(addressChanges).where(eq(addressChanges.accountId, parts.accountId)),
    directory
      .select({ address: users.email, sealed: users.sealedAddress })
      .from(users)
      .where(eq(users.id, parts.accountId)),
  ])
  if (!change || !user || !(await isGenuine(ctx, CONFIRM, parts, change.address))) throw badToken()
  return { ...change, old: user }
}

type Former = typeof formerAddresses.$inferSelect

export async function undoToken(ctx: SystemCtx, accountId: Id, address: string | null): Promise<string | null> {
  const [formers] = await readFormer(ctx, accountId)
  const former = formers.find((row) => row.address === address)
  return former ? mailedToken(ctx, UNDO, { accountId, until: former.until, state: stateOf(former) }) : null
}

/** The former address that the token restores, and the sealed address that the account leaves. */
export async function readUndoneAddress(ctx: SystemCtx, token: string): Promise<Former & { left: string }> {
  const parts = partsOf(ctx, token)
  const [formers, [user]] = await readFormer(ctx, parts.accountId)
  for (const former of formers) {
    if (user && (await isGenuine(ctx, UNDO, parts, stateOf(former)))) return { ...former, left: user.sealed }
  }
  throw badToken()
}

function readFormer(ctx: SystemCtx, accountId: Id) {
  const { directory } = atPrimary(ctx)
  return directory.batch([
    directory
      .select()
      .from(formerAddresses)
      .where(and(eq(formerAddresses.accountId, accountId), gt(formerAddresses.until, ctx.now()))),
    directory.select({ sealed: users.sealedAddress }).from(users).where(eq(users.id, accountId)),
  ])
}

function stateOf({ address, leftAt }: Former): string {
  return `${address} ${leftAt}`
}
