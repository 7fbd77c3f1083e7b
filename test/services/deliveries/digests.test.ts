import { expect, test } from 'vitest'
import type { Id } from '../../../src/platform/data/ids.ts'
import { blockAccount } from '../../../src/services/accounts/blocks.ts'
import { followAccount } from '../../../src/services/accounts/follows.ts'
import { deliver } from '../../../src/services/deliveries/deliver.ts'
import { type Digest, nextDigestAt, planDigests } from '../../../src/services/deliveries/digests.ts'
import { readPreferences, replacePreferences } from '../../../src/services/deliveries/preferences.ts'
import { unsubscribe } from '../../../src/services/deliveries/unsubscribe.ts'
import { markRead } from '../../../src/services/notifications/reads.ts'
import { likePost } from '../../../src/services/posts/likes.ts'
import { accountsOn, handleOf } from '../../support/actors.ts'
import { costOf } from '../../support/budgets.ts'
import { insertRows, shards } from '../../support/databases.ts'
import { deliveriesOf, prefer, runDue, statesOf, withAddress } from '../../support/deliveries.ts'
import { interceptMails } from '../../support/mails.ts'
import { queues } from '../../support/manual-queues.ts'
import { publishedId } from '../../support/posting.ts'
import { ada, bob, cyd } from '../../support/trio.ts'
import { asUser } from '../../support/viewers.ts'

const mails = interceptMails()
const MINUTE_MS = 60_000
const DAY = 24 * 60

/** A daily digest that is due in an hour. */
const inAnHour = (every: Digest['every'] = 'daily'): Digest => ({
  every,
  timeZone: 'UTC',
  at: new Date(Date.now() + 60 * MINUTE_MS).toISOString().slice(11, 16),
})

async function liked(postId: Id, ...by: Id[]): Promise<void> {
  for (const id of by) await likePost(asUser(id), { postId })
  await queues.deliver()
}

async function missed(): Promise<string> {
  const address = await withAddress(ada)
  await prefer(ada, { digest: inAnHour() })
  const postId = await publishedId(ada, { text: 'zqpost' })
  await liked(postId, bob, cyd)
  await followAccount(asUser(bob), { accountId: ada })
  await publishedId(cyd, { text: `@${handleOf(ada)} zqmention` })
  await queues.deliver()
  return address
}

test('a daily digest is one mail of unread notifications a day, with handles and without texts', async () => {
  const address = await missed()
  for (let minutes = 0; minutes <= 4 * DAY; minutes += 120) await runDue(minutes, { times: 2 })
  const [mail, ...others] = mails.mailsTo(address)
  expect([mail?.subject, others]).toEqual(['What you have missed', []])
  const [b, c] = [handleOf(bob), handleOf(cyd)]
  for (const line of [`@${c} mentioned you`, `@${b} followed you`, `@${c} and 1 other liked your post`])
    expect(mail?.text).toContain(line)
  expect(JSON.stringify(mail)).not.toContain('zq')
  const states = await statesOf(ada)
  expect([states.filter((state) => state === 'digest sent').length, states.length >= 4]).toEqual([1, true])
})

test('a weekly digest is sent on Mondays, and people without one get none', async () => {
  const address = await withAddress(ada)
  await prefer(ada, { digest: inAnHour('weekly') })
  const postId = await publishedId(ada)
  await liked(postId, bob)
  for (let minutes = 0; minutes <= 8 * DAY; minutes += 360) await runDue(minutes)
  expect([mails.mailsTo(address).length, (await deliveriesOf(ada)).length]).toBeOneOf([
    [1, 1],
    [1, 2],
  ])
  await prefer(ada, { digest: { ...inAnHour(), every: 'never' } })
  await liked(postId, cyd)
  for (let minutes = 8 * DAY; minutes <= 16 * DAY; minutes += 720) await runDue(minutes)
  expect([mails.mailsTo(address).length, (await readPreferences(asUser(ada))).digest]).toEqual([1, null])
})

test('a process that is killed at any step leaves exactly one digest', async () => {
  const address = await missed()
  const [shard] = shards
  const failing = (name: string, on: string) =>
    shard.prepare(`CREATE TRIGGER ${name} BEFORE ${on} BEGIN SELECT raise(abort, 'killed'); END`).run()
  const due = 61
  await failing('before_plan', "INSERT ON deliveries WHEN new.channel = 'digest'")
  await expect(runDue(due)).rejects.toThrow()
  await shard.prepare('DROP TRIGGER before_plan').run()
  const later = { ...queues.context(), now: () => Date.now() + due * MINUTE_MS }
  await planDigests(later, later.db.shard(0))
  await failing('before_turn', 'INSERT ON delivery_turns')
  await runDue(due + 1)
  expect(mails.mailsTo(address)).toEqual([])
  await shard.prepare('DROP TRIGGER before_turn').run()
  await failing('after_mail', "UPDATE ON deliveries WHEN new.state = 'sent'")
  for (const minutes of [3, 10, 20]) await runDue(due + minutes).catch(() => {})
  await shard.prepare('DROP TRIGGER after_mail').run()
  for (const minutes of [30, 60, 300]) await runDue(due + minutes)
  expect([mails.mailsTo(address).length, await statesOf(ada)]).toEqual([1, ['digest sent']])
})

test('a digest contains nothing that was read, mailed or hidden by then', async () => {
  const address = await missed()
  await blockAccount(asUser(ada), { accountId: cyd })
  await queues.deliver()
  await runDue(61)
  const [mail] = mails.mailsTo(address)
  expect([mail?.text.includes(handleOf(cyd)), mail?.text.includes(`@${handleOf(bob)} liked your post`)]).toEqual([
    false,
    true,
  ])
  const [dan, eve] = await accountsOn(0, 0)
  const [hers, his] = [await withAddress(dan), await withAddress(eve)]
  await prefer(dan, { digest: inAnHour() })
  await prefer(eve, { digest: inAnHour(), rules: { like: { mail: 'everyone' } } })
  for (const author of [dan, eve]) await liked(await publishedId(author), bob)
  await markRead(asUser(dan))
  await runDue()
  await runDue(61)
  expect(mails.mailsTo(hers)).toEqual([])
  expect(mails.mailsTo(his).map(({ subject }) => subject)).toEqual([`${handleOf(bob)} liked your post`])
})

test('one click ends the digest, and an old link does not end one that was asked for again', async () => {
  const address = await missed()
  await runDue(61)
  await prefer(ada, { quietHours: { timeZone: 'UTC', from: '01:00', to: '01:01' } })
  const token = /unsubscribe=([^\s"]+)/.exec(mails.mailsTo(address)[0]!.text)![1]!
  const digest = async () => (await readPreferences(asUser(ada))).digest
  await unsubscribe(asUser(bob), { token })
  expect(await digest()).toBeNull()
  const asked = { ...asUser(ada), now: () => Date.now() + 2 * 60 * MINUTE_MS }
  await replacePreferences(asked, { rules: {}, digest: inAnHour() })
  await unsubscribe(asUser(bob), { token })
  expect(await digest()).toEqual(inAnHour())
})

test('a digest comes once for each day or week of its time zone, also when the clock changes', () => {
  const zones = ['Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe']
  for (const timeZone of zones) {
    for (const minutes of [0, 150]) {
      for (const [every, days] of [
        ['daily', 366],
        ['weekly', 52],
      ] as const) {
        const dates: string[] = []
        for (let n = 0, at = Date.UTC(2027, 0, 3); n < days; n++) {
          const next = nextDigestAt(at, { every, timeZone, minutes })
          expect(next).toBeGreaterThan(at)
          at = next
          dates.push(new Intl.DateTimeFormat('sv', { timeZone }).format(at))
        }
        const gaps = dates.slice(1).map((date, i) => (Date.parse(date) - Date.parse(dates[i]!)) / 86_400_000)
        expect([timeZone, minutes, every, new Set(gaps)]).toEqual([
          timeZone,
          minutes,
          every,
          new Set([every === 'daily' ? 1 : 7]),
        ])
      }
    }
  }
})

test('clients that do not know digests and messages change nothing of them', async () => {
  await prefer(ada, { rules: { message: { mail: 'everyone' } }, includeMessages: true, digest: inAnHour() })
  await prefer(ada, { rules: { like: { mail: 'everyone' } }, includeText: true })
  expect(await readPreferences(asUser(ada))).toMatchObject({
    rules: { like: { mail: 'everyone' }, message: { mail: 'everyone' } },
    ...{ includeText: true, includeMessages: true, digest: inAnHour() },
  })
})

test('the cost of a digest does not grow with old notifications', async () => {
  await missed()
  const old = Array.from({ length: 2_000 }, (_, i) => ({
    account_id: Number(ada),
    id: i + 1,
    kind: 'mention',
    actor_id: Number(bob),
    post_id: i + 1,
    arrived_at: 1,
  }))
  await insertRows(shards[0], 'notifications', old)
  const later = { ...queues.context(), now: () => Date.now() + 61 * MINUTE_MS }
  for (const shard of later.db.shards) await planDigests(later, later.db.shard(shard))
  const cost = await costOf(ada, (ctx) => deliver({ ...ctx, now: later.now }, { accountId: ada, channel: 'digest' }))
  expect(cost.rowsRead).toBeLessThan(200)
  expect(await statesOf(ada)).toEqual(['digest sent'])
})
