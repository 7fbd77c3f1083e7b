import { and, eq, isNull } from 'drizzle-orm'
import type { SystemCtx } from '../../platform/context.ts'
import type { Id } from '../../platform/data/ids.ts'
import { fromShards, idIn } from '../../platform/data/shards.ts'
import { sha256 } from '../../platform/security/crypto.ts'
import { accounts } from '../accounts/tables.ts'
import { type Entry, type Membership, nameOf, presenceOf, reactionsOf, sumsOf, type Tally, VIEW } from './fold.ts'
import { pseudonym, saltOf } from './salts.ts'
import { activityChoices } from './tables.ts'

/** What each account has decided: null if nothing yet. Accounts that do not exist, or wait for their erasure, are absent. */
export async function choicesOf(ctx: SystemCtx, ids: Iterable<Id>): Promise<Map<Id, boolean | null>> {
  const rows = await fromShards(ctx.db, ids, (db, group) =>
    db
      .select({ id: accounts.id, agreed: activityChoices.agreed })
      .from(accounts)
      .leftJoin(activityChoices, eq(activityChoices.accountId, accounts.id))
      .where(and(idIn(accounts.id, group), isNull(accounts.deletedAt))),
  )
  return new Map(rows.map(({ id, agreed }) => [id, agreed]))
}

/** An activity without its people: only hashes, which differ in each set. `id` is null for a view. */
export type Hashed = { id: string | null; at: number; kind: string; tally: Tally }

export function hashed(ctx: SystemCtx, entries: readonly Entry[]): Promise<Hashed[]> {
  const salts = new Map<string, Promise<CryptoKey | null>>()
  const member = async (membership: Membership): Promise<[string, string | null]> => {
    const cell = nameOf(membership)
    const key = salts.get(membership.bucket) ?? saltOf(ctx, membership.bucket)
    salts.set(membership.bucket, key)
    const salt = await key
    return [cell, salt && (await pseudonym(salt, `${cell} ${membership.name}`))]
  }
  return Promise.all(entries.map((entry) => hashedEntry(entry, member)))
}

type Member = (membership: Membership) => Promise<[string, string | null]>

/** A reaction that has no person, or whose day has closed, counts each time. */
async function hashedEntry(entry: Entry, member: Member): Promise<Hashed> {
  const { id, kind, at, actor } = entry
  const nobody: Member = async (membership) => [nameOf(membership), null]
  const reactions = await Promise.all(reactionsOf(entry).map(actor ? member : nobody))
  const present = await Promise.all(presenceOf(entry).map(member))
  const counts: Record<string, number> = Object.fromEntries(sumsOf(entry).map((cell) => [nameOf(cell), 1]))
  const members: Record<string, string[]> = {}
  for (const [cell, hash] of [...reactions, ...present]) if (hash !== null) members[cell] = [hash]
  for (const [cell, hash] of reactions) if (hash === null) counts[cell] = 1
  if (kind === VIEW) return { id: null, at, kind, tally: { site: {}, counts, members } }
  const short = (await sha256(id)).subarray(0, 8).toBase64({ alphabet: 'base64url', omitPadding: true })
  return { id: short, at, kind, tally: { site: { [kind]: 1 }, counts, members } }
}
