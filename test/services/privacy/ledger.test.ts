import { env } from 'cloudflare:workers'
import { beforeEach, expect, test, vi } from 'vitest'
import { beginErasure } from '../../../src/services/privacy/erasure.ts'
import { type RegisteredUser, registeredUser } from '../../support/actors.ts'
import { directoryNumber, logIn } from '../../support/auth.ts'
import { insertRows, shardHolding } from '../../support/databases.ts'
import { due, erase, replay, runJob, startDue, traces } from '../../support/erasures.ts'
import { contextWith } from '../../support/platform.ts'
import { residueOf } from '../../support/residue.ts'
import { until } from '../../support/until.ts'

beforeEach(() => void vi.spyOn(env.MAIL, 'send').mockResolvedValue({ messageId: 'sent' }))

const startedAt = ({ id }: RegisteredUser) =>
  directoryNumber('select max(started_at) n from deletions where account_id = ?', Number(id))

test('the hourly job does not mistake a running erasure for a restored account', async () => {
  const jan = await registeredUser('jan_erased')
  await due(jan)
  expect(await beginErasure(contextWith(), jan.id)).toBe(true)
  await env.DIRECTORY.prepare('update deletions set started_at = 5 where account_id = ?').bind(Number(jan.id)).run()
  await runJob(replay)
  expect(await startedAt(jan)).toBe(5)
})

test('the hourly job erases nothing again because of a shard that is newer than the erasure', async () => {
  const kai = await registeredUser('kai_erased')
  await due(kai)
  await erase(kai)
  const created = (at: string) => env.SHARD_1.prepare(`update d1_migrations set applied_at = datetime('now', '${at}')`)
  await env.SHARD_1.batch([env.SHARD_1.prepare('delete from erased_accounts'), created('+1 hour')])
  await runJob(replay)
  expect(await startedAt(kai)).toBeNull()
  await created('-1 hour').run()
  await runJob(replay)
  expect(await startedAt(kai)).toBeGreaterThan(0)
})

test('what a restored database brings back is erased again, and the ledger forgets after 90 days', async () => {
  const ivy = await registeredUser('ivy_erased')
  const [row] = (await shardHolding(ivy.id).prepare('select * from accounts where id = ?').bind(Number(ivy.id)).all())
    .results as never[]
  await due(ivy)
  await erase(ivy)
  await runJob(replay)
  expect(await residueOf([ivy.id], 'ivy_erased@')).toEqual(traces)

  await insertRows(shardHolding(ivy.id), 'accounts', [row!])
  await shardHolding(ivy.id).prepare('delete from erased_accounts where account_id = ?').bind(Number(ivy.id)).run()
  await runJob(replay)
  expect((await logIn(ivy.handle)).status).toBe(401)
  await runJob(startDue)
  const pending = () => directoryNumber('select count(*) n from deletions where account_id = ?', Number(ivy.id))
  await until(async () => (await pending()) === 0)
  expect(await residueOf([ivy.id], 'ivy_erased@')).toEqual(traces)

  const later = Object.assign(contextWith(), { now: () => Date.now() + 91 * 86_400_000 })
  await runJob(replay, later)
  expect((await env.KEYS.list({ prefix: 'erased/' })).objects).toEqual([])
  expect(await residueOf([ivy.id], 'ivy_erased@')).toEqual(['DIRECTORY.handles.account_id'])
})
