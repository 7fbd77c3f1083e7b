import { env } from 'cloudflare:workers'
import { beforeAll, expect, test } from 'vitest'
import type { Id } from '../src/platform/data/ids.ts'
import { append } from '../src/services/audit/append.ts'
import { listAudit, listMyAudit } from '../src/services/audit/entries.ts'
import { accountsOn } from './support/actors.ts'
import { costOf, expectWithin, PAGE } from './support/budgets.ts'
import { unusedId } from './support/databases.ts'

// Checks the budgets of the audit log in docs/architecture.md.

let ada: Id
const acts = (count: number) =>
  Array.from({ length: count }, () => ({ accountId: ada, actorId: ada, action: 'registered', eventId: unusedId(0) }))
const appended = (count: number) =>
  costOf(ada, (ctx) => Promise.all(acts(count).map((act) => append({ ...ctx, env }, act))))

beforeAll(async () => {
  ;[ada] = await accountsOn(0)
  await appended(60)
})

test('appending the entries of one batch takes four trips', async () => {
  for (const n of [1, 5])
    expectWithin(`append ${n}`, await appended(n), {
      trips: 4,
      directoryTrips: 2,
      rowsRead: 3 * n + 4,
      rowsWritten: 7 * n + 1,
    })
})

test('an event that is in the log already costs two reads', async () => {
  const [act] = acts(1)
  await costOf(ada, (ctx) => append(ctx, act!))
  const cost = await costOf(ada, (ctx) => append(ctx, act!))
  expectWithin('append again', cost, { trips: 2, directoryTrips: 1, rowsRead: 4 })
})

test('a page of the audit log takes one trip, and one more for its own entry', async () => {
  const page = { limit: PAGE }
  const own = await costOf(ada, async (ctx) => expect((await listMyAudit(ctx, page)).items).toHaveLength(PAGE))
  expectWithin('own audit', own, { trips: 1, rowsRead: 2 * PAGE + 2 })
  for (const filter of [{}, { accountId: ada }, { actorId: ada }, { action: 'registered' }]) {
    const all = await costOf(ada, async (ctx) =>
      expect((await listAudit(ctx, { ...page, ...filter })).items).toHaveLength(PAGE),
    )
    expectWithin(`audit ${Object.keys(filter)}`, all, {
      trips: 2,
      directoryTrips: 1,
      rowsRead: 2 * PAGE + 4,
      rowsWritten: 1,
      objectCalls: 1,
      queueMessages: 1,
    })
  }
})
