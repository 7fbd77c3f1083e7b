import { runInDurableObject } from 'cloudflare:test'
import { beforeEach, expect, test, vi } from 'vitest'
import type { Id } from '../../../src/platform/data/ids.ts'
import { followAccount } from '../../../src/services/accounts/follows.ts'
import {
  listWebhookDeliveries,
  replayWebhookDeliveries,
  replayWebhookDelivery,
  testWebhook,
} from '../../../src/services/webhooks/deliveries.ts'
import { webhookData } from '../../../src/services/webhooks/personal.ts'
import {
  createWebhook,
  deleteWebhook,
  editWebhook,
  getWebhook,
  listWebhooks,
  renewWebhookSecret,
} from '../../../src/services/webhooks/webhooks.ts'
import { accountsOn } from '../../support/actors.ts'
import { movableClock } from '../../support/clock.ts'
import { count, shards } from '../../support/databases.ts'
import { queues } from '../../support/manual-queues.ts'
import { forbiddenUrls } from '../../support/outbound-urls.ts'
import { asUser, failure } from '../../support/viewers.ts'
import { alarmOf, deliveriesOf, passAll, receivers, webhookObject, webhookOf } from '../../support/webhooks.ts'

const clock = movableClock()
clock.advance(86_400_000)

let net: ReturnType<typeof receivers>
let ada: Id
let bob: Id
beforeEach(async () => {
  vi.restoreAllMocks()
  net = receivers()
  ;[ada, bob] = await accountsOn(0, 1)
  await queues.deliver()
})

const creation = (url = 'https://hooks.example.org/in') => ({ url, events: ['post.liked' as const], description: '' })

test('a webhook is created, read, edited and deleted; its secret is shown once, and both it and the address are stored sealed', async () => {
  const { secret, ...made } = (await createWebhook(asUser(ada), creation('https://example.org/planted'))).value
  expect(secret).toMatch(/^whsec_[\w+/]{43}=$/)
  expect(await listWebhooks(asUser(ada))).toEqual({ items: [made] })
  const webhookId = made.id
  const events = ['account.followed' as const, 'account.followed' as const]
  const edited = await editWebhook(asUser(ada), { webhookId, url: 'https://EXAMPLE.org/b', events })
  expect(edited).toEqual({ ...made, url: 'https://example.org/b', events: ['account.followed'] })
  expect(await getWebhook(asUser(ada), { webhookId })).toEqual(edited)
  const stored = await shards[0].prepare('select * from webhook_endpoints where id = ?').bind(Number(webhookId)).first()
  expect(JSON.stringify(stored)).not.toContain(secret.slice(6, 30))
  expect(JSON.stringify(stored)).not.toContain('example.org')
  const renewed = await renewWebhookSecret(asUser(ada), { webhookId })
  expect([renewed.secret === secret, renewed.formerSecretUntil]).toEqual([false, expect.any(String)])
  await deleteWebhook(asUser(ada), { webhookId })
  await expect(deleteWebhook(asUser(ada), { webhookId })).rejects.toThrow(failure('not_found'))
  expect(await listWebhooks(asUser(ada))).toEqual({ items: [] })
})

test('no forbidden address is stored, and the problem names the field', async () => {
  const { id: webhookId } = await webhookOf(ada)
  const urls = Object.entries(forbiddenUrls).flatMap(([kind, all]) => (kind === 'our own hosts' ? [] : all))
  for (const url of [...urls, 'http://127.0.0.1:8787/']) {
    const refused = { extra: { errors: [{ field: 'url' }] } }
    await expect(createWebhook(asUser(ada), creation(url)), url).rejects.toMatchObject(refused)
    await expect(editWebhook(asUser(ada), { webhookId, url }), url).rejects.toMatchObject(refused)
  }
  expect((await listWebhooks(asUser(ada))).items).toHaveLength(1)
})

test('of twelve webhooks that are created at once, ten are', async () => {
  const outcomes = await Promise.allSettled(
    Array.from({ length: 12 }, (_, n) => createWebhook(asUser(ada), creation(`https://example.org/${n}`))),
  )
  expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(10)
  await expect(createWebhook(asUser(ada), creation())).rejects.toMatchObject({ code: 'too_many_webhooks' })
  expect((await listWebhooks(asUser(ada))).items).toHaveLength(10)
})

test('one address gets one webhook of an account, also of two that are created at once', async () => {
  const outcomes = await Promise.allSettled([1, 2].map(() => createWebhook(asUser(ada), creation())))
  expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
  const { id: webhookId } = await webhookOf(ada)
  const taken = { extra: { errors: [{ field: 'url', message: 'is the address of another webhook of yours' }] } }
  await expect(createWebhook(asUser(ada), creation())).rejects.toMatchObject(taken)
  await expect(editWebhook(asUser(ada), { webhookId, url: creation().url })).rejects.toMatchObject(taken)
  expect((await createWebhook(asUser(bob), creation())).value).toMatchObject({ state: 'active' })
})

test('a creation that is repeated with its key returns the same webhook with its secret, and needs no room', async () => {
  const keyed = (key: string) => ({ ...asUser(ada), idempotencyKey: key })
  const first = await createWebhook(keyed('one'), creation())
  expect(await createWebhook(keyed('one'), creation())).toEqual({ ...first, replayed: true })
  const another = creation('https://example.org/other')
  await expect(createWebhook(keyed('one'), another)).rejects.toThrow(failure('idempotency_mismatch'))
  await expect(createWebhook(keyed('two'), creation())).rejects.toThrow(failure('invalid'))
  expect((await createWebhook(keyed('two'), another)).replayed).toBe(false)
  for (let n = 0; n < 8; n++) await webhookOf(ada)
  await expect(createWebhook(keyed('three'), creation('https://example.org/3'))).rejects.toMatchObject({
    code: 'too_many_webhooks',
  })
  expect(await createWebhook(keyed('one'), creation())).toEqual({ ...first, replayed: true })
})

test('an address that was stored in clear is shown, receives messages, and is sealed when it is edited', async () => {
  const { id: webhookId, host } = await webhookOf(ada)
  const url = `https://${host}/in`
  const write = shards[0].prepare("update webhook_endpoints set url = ?, url_index = '' where id = ?")
  await write.bind(url, Number(webhookId)).run()
  expect(await getWebhook(asUser(ada), { webhookId })).toMatchObject({ url })
  await testWebhook(asUser(ada), { webhookId })
  await passAll(webhookId)
  expect(net.received(host)).toHaveLength(1)
  await editWebhook(asUser(ada), { webhookId, url })
  expect(await getWebhook(asUser(ada), { webhookId })).toMatchObject({ url })
  const stored = await shards[0]
    .prepare('select url from webhook_endpoints where id = ?')
    .bind(Number(webhookId))
    .first()
  expect(JSON.stringify(stored)).not.toContain(host)
})

test('an address that is too long once it is written out is refused', async () => {
  const url = `https://example.org/${'é'.repeat(1_900)}`
  await expect(createWebhook(asUser(ada), creation(url))).rejects.toThrow(failure('invalid'))
})

test('a test message, a replay and the replay of a span of time send again under the same id', async () => {
  const { id: webhookId, host } = await webhookOf(ada)
  const since = new Date(Date.now()).toISOString()
  const { id: deliveryId } = await testWebhook(asUser(ada), { webhookId })
  await followAccount(asUser(bob), { accountId: ada })
  await queues.deliver()
  await passAll(webhookId)
  clock.advance(1_000)
  const until = new Date(Date.now()).toISOString()
  expect(await replayWebhookDelivery(asUser(ada), { deliveryId })).toMatchObject({ state: 'waiting', attempts: 0 })
  await passAll(webhookId)
  expect(await replayWebhookDeliveries(asUser(ada), { webhookId, since, until })).toEqual({ count: 2 })
  await passAll(webhookId)
  const span = { webhookId, since: '2026-01-01T00:00:00Z', until: '2026-01-02T00:00:00Z' }
  expect(await replayWebhookDeliveries(asUser(ada), span)).toEqual({ count: 0 })
  const backwards = replayWebhookDeliveries(asUser(ada), { webhookId, since: until, until: since })
  await expect(backwards).rejects.toThrow(failure('invalid'))
  const ids = net.received(host).map(({ headers }) => headers['webhook-id'])
  expect([ids.length, new Set(ids).size]).toEqual([5, 2])
})

test('deliveries are filtered by state, and their cursors belong to the list', async () => {
  const { id: webhookId, host } = await webhookOf(ada)
  net.answer(
    host,
    ({ headers }) => new Response(null, { status: Number(headers['webhook-id']!.at(-1)) % 2 ? 500 : 200 }),
  )
  for (let n = 0; n < 8; n++) await testWebhook(asUser(ada), { webhookId })
  await passAll(webhookId)
  const all = await deliveriesOf(ada, webhookId)
  for (const state of ['waiting', 'delivered'] as const) {
    const { items } = await listWebhookDeliveries(asUser(ada), { webhookId, state, limit: 50 })
    expect(items).toEqual(all.filter((delivery) => delivery.state === state))
  }
  const { nextCursor } = await listWebhookDeliveries(asUser(ada), { webhookId, limit: 2 })
  const other = listWebhookDeliveries(asUser(ada), { webhookId, limit: 2, state: 'failed', cursor: nextCursor! })
  await expect(other).rejects.toThrow(failure('invalid'))
})

test('the object of a deleted webhook is emptied, and the deliveries that waited are not sent', async () => {
  const { id: webhookId, host } = await webhookOf(ada)
  await testWebhook(asUser(ada), { webhookId })
  await deleteWebhook(asUser(ada), { webhookId })
  await passAll(webhookId)
  await queues.deliver()
  const tables = await runInDurableObject(webhookObject(webhookId), (_, { storage }) =>
    storage.sql.exec("select name from sqlite_master where name not glob '_cf_*'").toArray(),
  )
  expect([tables, net.received(host), await alarmOf(webhookId)]).toEqual([[], [], null])
})

test('the erasure of an account deletes its webhooks and empties their objects', async () => {
  const [mine, other] = [await webhookOf(ada), await webhookOf(bob)]
  await testWebhook(asUser(ada), { webhookId: mine.id })
  await testWebhook(asUser(bob), { webhookId: other.id })
  expect(await webhookData.erase(asUser(ada), ada)).toBe(true)
  const tables = (webhookId: Id) =>
    runInDurableObject(webhookObject(webhookId), (_, { storage }) =>
      storage.sql.exec("select name from sqlite_master where name = 'deliveries'").toArray(),
    )
  expect([await tables(mine.id), (await tables(other.id)).length]).toEqual([[], 1])
  expect([(await listWebhooks(asUser(ada))).items, (await listWebhooks(asUser(bob))).items.length]).toEqual([[], 1])
})

test('the last thousand finished deliveries are kept, and nothing for more than 30 days', async () => {
  const { id: webhookId } = await webhookOf(ada)
  await testWebhook(asUser(ada), { webhookId })
  await passAll(webhookId)
  const stored = (where = '1') =>
    runInDurableObject(
      webhookObject(webhookId),
      (_, { storage }) => storage.sql.exec<{ n: number }>(`select count(*) n from deliveries where ${where}`).one().n,
    )
  await runInDurableObject(webhookObject(webhookId), (_, { storage }) => {
    const { id } = storage.sql.exec<{ id: number }>('select id from deliveries').one()
    for (let n = 1; n <= 1_500; n++)
      storage.sql.exec(
        `insert into deliveries select ?, type, body, ?, 1, attempts, ?, ?, last_status, answer from deliveries where id = ?`,
        id - n,
        n > 1_400 ? 'waiting' : 'delivered',
        n > 1_400 ? Date.now() + 1e12 : null,
        n > 1_400 ? null : Date.now() - n,
        id,
      )
  })
  await testWebhook(asUser(ada), { webhookId })
  await passAll(webhookId)
  expect([await stored("state = 'delivered'"), await stored("state = 'waiting'")]).toEqual([1_000, 100])
  clock.advance(31 * 86_400_000)
  await passAll(webhookId)
  expect(await stored()).toBe(0)
})

test('the events of a webhook are audited', async () => {
  const { id: webhookId } = await webhookOf(ada)
  await renewWebhookSecret(asUser(ada), { webhookId })
  await editWebhook(asUser(ada), { webhookId, description: 'b' })
  await deleteWebhook(asUser(ada), { webhookId })
  const recorded = `select count(*) n from outbox where type glob 'webhooks.*' and data like '%${webhookId}%'`
  expect(await count(recorded)).toBe(4)
})
