import { createExecutionContext, createMessageBatch, getQueueResult } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { expect, test } from 'vitest'
import type { Id } from '../../../src/platform/data/ids.ts'
import { queues as settings } from '../../../src/platform/events/queues.ts'
import { readPreferences } from '../../../src/services/deliveries/preferences.ts'
import { forgetSuppression } from '../../../src/services/deliveries/suppressions.ts'
import { queueMail, sendMail } from '../../../src/services/identity/mails.ts'
import { likePost } from '../../../src/services/posts/likes.ts'
import worker from '../../../src/worker.ts'
import { shardHolding } from '../../support/databases.ts'
import { prefer, runDue, statesOf, withAddress } from '../../support/deliveries.ts'
import { interceptMails } from '../../support/mails.ts'
import { queues } from '../../support/manual-queues.ts'
import { publishedId } from '../../support/posting.ts'
import { ada, bob, cyd } from '../../support/trio.ts'
import { asUser } from '../../support/viewers.ts'

const mails = interceptMails()

type Report = { type?: string; sender?: string; bounce?: { type: string } }

/** A report as the email service publishes it (developers.cloudflare.com/email-service/platform/event-subscriptions). */
const reportOf = (recipient: string, { type = 'bounced', sender = 'no-reply@127.0.0.1', bounce }: Report = {}) => ({
  type: `cf.email.sending.message.${type}`,
  source: { type: 'email.sending', zoneId: '023e105f4ecef8ad9ca31a8372d0c353', domain: 'example.com' },
  payload: {
    ...{
      eventId: crypto.randomUUID(),
      messageId: '0101018f7d0c4d9a-msg',
      sender,
      recipient,
      subject: 'Hello',
      terminal: true,
    },
    delivery: { status: type, smtpStatusCode: '550', smtpResponse: '550 5.1.1 User unknown' },
    ...(type === 'bounced' && { bounce: bounce ?? { type: 'hard', classification: 'permanent_failure' } }),
  },
  metadata: { eventSchemaVersion: 1, eventTimestamp: '2026-06-01T02:48:57.132Z' },
})

/** Gives the reports to the Worker, and returns how many it wants again. */
async function report(
  reports: unknown[],
  { bindings = env, attempts = 1 }: { bindings?: Env; attempts?: number } = {},
): Promise<number> {
  const messages = reports.map((body) => ({ id: crypto.randomUUID(), timestamp: new Date(), attempts, body }))
  const batch = createMessageBatch('socialconnect-bounces', messages)
  const ctx = createExecutionContext()
  await worker.queue(batch, bindings, ctx)
  return (await getQueueResult(batch, ctx)).retryMessages.length
}

const isSuppressed = async (accountId: Id) => (await readPreferences(asUser(accountId))).mailSuppressed

async function likedBy(other: Id, postId: Id, minutes: number): Promise<string[]> {
  await likePost(asUser(other), { postId })
  await queues.deliver()
  await runDue(minutes)
  return statesOf(ada)
}

test('a hard bounce ends mails about notifications until the owner tries again; mails about the account still go', async () => {
  const address = await withAddress(ada)
  await prefer(ada, { rules: { like: { mail: 'everyone' } } })
  const postId = await publishedId(ada)
  const bounced = reportOf(address.toUpperCase())
  expect(await report([bounced, bounced, bounced])).toBe(0)
  expect([await isSuppressed(ada), await likedBy(bob, postId, 0)]).toEqual([true, ['mail dropped']])
  const db = queues.context().db.directory
  await db.commit([...queueMail(db, { id: `of ${ada}`, accountId: ada, kind: 'password-changed' })])
  await sendMail(queues.context(), `of ${ada}`)
  expect(mails.mailsTo(address)).toHaveLength(1)
  await forgetSuppression(asUser(ada))
  expect(await likedBy(cyd, postId, 20)).toEqual(['mail dropped', 'mail sent'])
  expect(mails.mailsTo(address)).toHaveLength(2)
})

test('a complaint about spam ends mails about notifications too', async () => {
  const address = await withAddress(ada)
  expect([await report([reportOf(address, { type: 'complained' })]), await isSuppressed(ada)]).toEqual([0, true])
})

test('reports of soft bounces, of other senders, of unknown addresses and malformed ones change nothing', async () => {
  const address = await withAddress(ada)
  const unverified = await withAddress(bob, false)
  const others = [
    reportOf(address, { bounce: { type: 'soft' } }),
    reportOf(address, { type: 'deferred', bounce: { type: 'hard' } }),
    reportOf(address, { type: 'delivered' }),
    reportOf(address, { sender: 'news@127.0.0.1' }),
    reportOf(`x${address}`),
    reportOf(unverified),
    reportOf('no address'),
    ...[{ type: 'cf.email.sending.message.bounced' }, 'bounced', null, 7],
  ]
  expect(await report(others)).toBe(0)
  expect([await isSuppressed(ada), await isSuppressed(bob)]).toEqual([false, false])
  expect(await report([...others, reportOf(address)])).toBe(0)
  expect([await isSuppressed(ada), await isSuppressed(bob)]).toEqual([true, false])
})

test('a report of an address that its owner has replaced does not end mails to the new one', async () => {
  const address = await withAddress(ada)
  await env.DIRECTORY.prepare("update users set email = 'index of another' where id = ?").bind(Number(ada)).run()
  expect([await report([reportOf(address)]), await isSuppressed(ada)]).toEqual([0, false])
})

test('a report that cannot be stored is repeated, and never kept as a dead letter with its address', async () => {
  const address = await withAddress(ada)
  const down = {
    withSession: () => ({
      prepare: () => {
        throw new Error('down')
      },
    }),
  }
  const bindings = { ...env, DIRECTORY: down } as unknown as Env
  expect(await report([reportOf(address)], { bindings })).toBe(1)
  expect(await report([reportOf(address)], { bindings, attempts: settings.BOUNCES.retries })).toBe(0)
  const rows = await shardHolding(ada)
    .prepare('select * from suppressed_addresses where account_id = ?')
    .bind(Number(ada))
    .all()
  expect(rows.results).toEqual([])
})
