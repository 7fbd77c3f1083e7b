import { env } from 'cloudflare:workers'
import { eq } from 'drizzle-orm'
import { beforeEach, expect, test } from 'vitest'
import { asViewer, type UserCtx } from '../../../src/platform/context.ts'
import { violates } from '../../../src/platform/data/conditions.ts'
import { deleteExpiredKeys, idempotencyKeys, idempotent } from '../../../src/platform/data/idempotency.ts'
import { type Id, newId } from '../../../src/platform/data/ids.ts'
import { withFreshId } from '../../../src/platform/data/shards.ts'
import { marks } from '../../support/marks.ts'
import { contextWith } from '../../support/platform.ts'

let ada: Id
let bob: Id

beforeEach(async () => {
  const { db } = contextWith()
  await db.shard(0).batch([db.shard(0).delete(marks), db.shard(0).delete(idempotencyKeys)])
  ;[ada, bob] = [newId(0, Date.now()), newId(0, Date.now() + 60_000)]
})

function request(account: Id, idempotencyKey?: string): UserCtx {
  return { ...asViewer(contextWith(), account), idempotencyKey }
}

/** Creates a row as a verb does: one batch inserts the row and claims the key. */
function create(ctx: UserCtx, input: unknown = { text: 'x' }, operation = 'create') {
  const db = ctx.db.shardOf(ctx.viewer.id)
  return idempotent(
    ctx,
    operation,
    input,
    (claim) =>
      withFreshId(ctx, 0, marks.accountId, async (accountId) => {
        await db.batch([db.insert(marks).values({ accountId }), ...claim(db, accountId)])
        return accountId
      }),
    async (_, id) => id,
  )
}

const created = () => contextWith().db.shard(0).$count(marks)

test('fifty concurrent requests with one idempotency key insert one row and return the same id', async () => {
  const answers = await Promise.all(Array.from({ length: 50 }, () => create(request(ada, 'key'))))
  expect(await created()).toBe(1)
  expect(new Set(answers.map((answer) => answer.value)).size).toBe(1)
  expect(answers.filter((answer) => !answer.replayed)).toHaveLength(1)
})

test('a repeated request reads its result from the D1 primary, because replicas may lag', async () => {
  await create(request(ada, 'key'))
  const starts: unknown[] = []
  const withSession = (start: string) => {
    starts.push(start)
    return env.SHARD_0.withSession(start)
  }
  const again = { ...request(ada, 'key'), env: { ...env, SHARD_0: { withSession } as unknown as D1Database } }
  const replay = async (ctx: UserCtx, id: Id) => ctx.db.shardOf(ada).$count(marks, eq(marks.accountId, id))
  const clash = () =>
    Promise.reject(
      new Error(
        'D1_ERROR: UNIQUE constraint failed: idempotency_keys.account_id, idempotency_keys.operation, idempotency_keys.key',
      ),
    )
  expect(await idempotent(again, 'create', { text: 'x' }, clash, replay)).toEqual({ value: 1, replayed: true })
  expect(starts).toEqual(['first-primary'])
})

test('requests without an idempotency key or with different keys insert one row each', async () => {
  await create(request(ada))
  await create(request(ada))
  await create(request(ada, 'one'))
  await create(request(ada, 'two'))
  expect(await created()).toBe(4)
})

test('a key reused with another input is refused and has no effect', async () => {
  await create(request(ada, 'key'), { text: 'x' })
  await expect(create(request(ada, 'key'), { text: 'y' })).rejects.toMatchObject({ code: 'idempotency_mismatch' })
  expect(await created()).toBe(1)
})

test('an idempotency key is independent for each account and each operation', async () => {
  const first = await create(request(ada, 'key'))
  const others = [
    await create(request(bob, 'key'), { text: 'y' }),
    await create(request(ada, 'key'), { text: 'y' }, 'other'),
  ]
  expect(others.map((other) => other.replayed)).toEqual([false, false])
  expect(new Set([first, ...others].map((each) => each.value)).size).toBe(3)
  expect(await create(request(ada, 'key'))).toEqual({ ...first, replayed: true })
  expect(await create(request(ada, 'key'), { text: 'y' }, 'other')).toEqual({ ...others[1], replayed: true })
})

test('a failed request does not use up its key', async () => {
  const ctx = request(ada, 'key')
  const db = ctx.db.shard(0)
  const clash = newId(0, Date.now())
  await db.insert(marks).values({ accountId: clash })
  const failing = idempotent(
    ctx,
    'create',
    { text: 'x' },
    (claim) => db.batch([...claim(db, clash), db.insert(marks).values({ accountId: clash })] as never),
    async () => [],
  )
  expect(violates(await failing.catch((error: unknown) => error), marks.accountId)).toBe(true)
  expect((await create(request(ada, 'key'))).replayed).toBe(false)
})

test('a repeated request loads its result again, and fails if the load fails', async () => {
  await create(request(ada, 'key'))
  const gone = idempotent(
    request(ada, 'key'),
    'create',
    { text: 'x' },
    (claim) => {
      const ctx = request(ada, 'key')
      return ctx.db.shard(0).batch(claim(ctx.db.shard(0), ada) as never)
    },
    async () => {
      throw new Error('gone')
    },
  )
  await expect(gone).rejects.toThrow('gone')
})

test('a key is valid for a day and then deleted', async () => {
  const ctx = request(ada, 'key')
  const now = Date.now()
  await create({ ...ctx, now: () => now })
  const shard = ctx.db.shard(0)
  const [stored] = await shard.select().from(idempotencyKeys).where(eq(idempotencyKeys.accountId, ada))
  expect(stored!.expiresAt).toBe(now + 24 * 3_600_000)
  await deleteExpiredKeys(shard)
  expect((await create(request(ada, 'key'))).replayed).toBe(true)
  await shard.update(idempotencyKeys).set({ expiresAt: Date.now() - 1 })
  await deleteExpiredKeys(shard)
  expect((await create(request(ada, 'key'))).replayed).toBe(false)
})
