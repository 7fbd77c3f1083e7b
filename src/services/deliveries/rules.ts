import { and, desc, eq, exists, gt, inArray, notExists } from 'drizzle-orm'
import type { SystemCtx } from '../../platform/context.ts'
import { all, one, query, rowIf } from '../../platform/data/conditions.ts'
import type { Id } from '../../platform/data/ids.ts'
import { isActive } from '../accounts/policy.ts'
import { accounts } from '../accounts/tables.ts'
import { defaultAudience } from './policy.ts'
import { type Rules, ruleKinds, notificationRules as table } from './tables.ts'

/** Enough for the changes that somebody makes while an event is late. */
const KEPT = 20
const MAX_TRIES = 5

export async function readRules(ctx: SystemCtx, accountId: Id) {
  const own = eq(table.accountId, accountId)
  return ctx.db.shardOf(accountId).select().from(table).where(own).orderBy(desc(table.since)).limit(KEPT)
}

/** `change` gets the current rules, and is called again if they have changed meanwhile. A hidden account keeps its rules. */
export async function changeRules(ctx: SystemCtx, accountId: Id, change: (rules: Rules) => Rules): Promise<void> {
  const db = ctx.db.shardOf(accountId)
  const own = eq(table.accountId, accountId)
  const active = query
    .select(one)
    .from(accounts)
    .where(and(eq(accounts.id, accountId), isActive))
  const old = query
    .select({ since: table.since })
    .from(table)
    .where(own)
    .orderBy(desc(table.since))
    .limit(1)
    .offset(KEPT)
  for (let attempt = 0; attempt < MAX_TRIES; attempt++) {
    const [last = { since: 0, rules: {} }] = await readRules(ctx, accountId)
    const rules = sparse(change(last.rules))
    if (JSON.stringify(rules) === JSON.stringify(last.rules)) return
    const since = Math.max(ctx.now(), last.since + 1)
    const newer = query
      .select(one)
      .from(table)
      .where(and(own, gt(table.since, last.since)))
    const [added, [still]] = await db.batch([
      db
        .insert(table)
        .select(rowIf(table, { accountId, since, rules }, all(exists(active), notExists(newer))))
        .returning({ since: table.since }),
      db
        .select({ id: accounts.id })
        .from(accounts)
        .where(and(eq(accounts.id, accountId), isActive)),
      db.delete(table).where(and(own, inArray(table.since, old))),
    ])
    if (added.length > 0 || !still) return
  }
  throw new Error('the rules of the account change all the time')
}

function sparse(rules: Rules): Rules {
  const channels = ['inApp', 'mail', 'push'] as const
  return Object.fromEntries(
    ruleKinds.flatMap((kind) => {
      const set = channels.flatMap((channel) => {
        const audience = rules[kind]?.[channel]
        return audience && audience !== defaultAudience[channel] ? [[channel, audience]] : []
      })
      return set.length > 0 ? [[kind, Object.fromEntries(set)]] : []
    }),
  )
}
