import { env } from 'cloudflare:workers'
import { expect, test, vi } from 'vitest'
import type { Id } from '../../../src/platform/data/ids.ts'
import { blockAccount } from '../../../src/services/accounts/blocks.ts'
import { followAccount, unfollowAccount } from '../../../src/services/accounts/follows.ts'
import { readPreferences } from '../../../src/services/deliveries/preferences.ts'
import { listNotifications } from '../../../src/services/notifications/notifications.ts'
import { markRead } from '../../../src/services/notifications/reads.ts'
import { likePost, unlikePost } from '../../../src/services/posts/likes.ts'
import { accountsOn, bulkIds, handleOf, markSuspended } from '../../support/actors.ts'
import { insertRows, shards } from '../../support/databases.ts'
import { deliveriesOf, prefer, runDue, statesOf, withAddress } from '../../support/deliveries.ts'
import { interceptMails } from '../../support/mails.ts'
import { queues } from '../../support/manual-queues.ts'
import { publishedId } from '../../support/posting.ts'
import { ada, bob, cyd } from '../../support/trio.ts'
import { asUser, wholePage } from '../../support/viewers.ts'

const mails = interceptMails()
const byMail = {
  rules: { like: { mail: 'everyone' }, mention: { mail: 'everyone' }, comment: { mail: 'everyone' } },
} as const

async function liked(by: Id, postId: Id): Promise<void> {
  await likePost(asUser(by), { postId })
  await queues.deliver()
}

test('an event that is delivered ten times is mailed once, although all messages of the queue are lost', async () => {
  const address = await withAddress(ada)
  await prefer(ada, byMail)
  const postId = await publishedId(ada)
  await likePost(asUser(bob), { postId })
  await queues.deliver({ times: 10 })
  expect(await statesOf(ada)).toEqual(['mail due'])
  expect([await runDue(0, { times: 10 }), await statesOf(ada)]).toEqual([1, ['mail sent']])
  await runDue(60)
  expect(mails.mailsTo(address).map(({ subject }) => subject)).toEqual([`${handleOf(bob)} liked your post`])
})

test('notifications within 15 minutes are one mail, and the next mail waits for the 15 minutes', async () => {
  const address = await withAddress(ada)
  await prefer(ada, byMail)
  const [postId, others] = [await publishedId(ada), await bulkIds(4)]
  await liked(bob, postId)
  await liked(cyd, postId)
  await runDue()
  for (const other of others) await liked(other, postId)
  await runDue(5)
  expect(mails.mailsTo(address).map(({ subject }) => subject)).toEqual(['2 new notifications'])
  await runDue(16)
  expect(mails.mailsTo(address).map(({ subject }) => subject)).toEqual(['2 new notifications', '4 new notifications'])
})

test('what was read, withdrawn, hidden, unwanted or addressed to nobody by then is not mailed', async () => {
  const [eve, dan] = await accountsOn(0, 0)
  const obstacles: [string, (postId: Id, author: Id) => Promise<unknown>][] = [
    ['read', (_, author) => markRead(asUser(author))],
    ['withdrawn', (postId) => unlikePost(asUser(bob), { postId })],
    ['blocked', (_, author) => blockAccount(asUser(author), { accountId: bob })],
    ['unwanted', (_, author) => prefer(author, {})],
    ['suspended', (_, author) => markSuspended(author)],
  ]
  for (const [name, obstruct] of obstacles) {
    const [author] = await accountsOn(0)
    const address = await withAddress(author)
    await prefer(author, byMail)
    const postId = await publishedId(author)
    await liked(bob, postId)
    expect([name, await statesOf(author)]).toEqual([name, ['mail due']])
    await obstruct(postId, author)
    await runDue()
    expect([name, await statesOf(author), mails.mailsTo(address)]).toEqual([name, ['mail dropped'], []])
  }
  await withAddress(eve, false)
  for (const author of [eve, dan]) {
    await prefer(author, byMail)
    await liked(bob, await publishedId(author))
    await runDue()
    expect(await statesOf(author)).toEqual(['mail dropped'])
  }
})

test('a mail quotes a post only if the person asked for texts and everyone may read the post', async () => {
  const mention = (visibility: 'public' | 'followers', text: string) =>
    publishedId(bob, { visibility, text: `@${handleOf(ada)} ${text}` })
  const address = await withAddress(ada)
  await prefer(ada, byMail)
  await mention('public', 'open words')
  await queues.deliver()
  await runDue()
  await prefer(ada, { ...byMail, includeText: true })
  await mention('public', 'quoted words')
  await mention('followers', 'secret words')
  await queues.deliver()
  await runDue(16)
  const [first, second] = mails.mailsTo(address).map(({ html, text }) => html + text)
  expect([first?.includes('open words'), second?.includes('quoted words'), second?.includes('secret words')]).toEqual([
    false,
    true,
    false,
  ])
})

test('a mail service that answers 429 for an hour gets each mail once it works again', async () => {
  const address = await withAddress(ada)
  await prefer(ada, byMail)
  await liked(bob, await publishedId(ada))
  const working = mails.send.getMockImplementation()
  mails.send.mockImplementation(async () => {
    throw Object.assign(new Error('slow down'), { code: 'E_RATE_LIMIT_EXCEEDED' })
  })
  const before = mails.send.mock.calls.length
  for (let minute = 0; minute < 60; minute++) await runDue(minute)
  const [row] = await deliveriesOf(ada)
  expect([row?.state, row?.attempt, mails.send.mock.calls.length - before]).toEqual(['due', 5, 5])
  mails.send.mockClear()
  mails.send.mockImplementation(working!)
  await runDue(130)
  await runDue(200)
  expect([await statesOf(ada), mails.mailsTo(address).length]).toEqual([['mail sent'], 1])
})

test('an address that refuses a mail gets none until its owner tries again', async () => {
  const address = await withAddress(ada)
  await prefer(ada, byMail)
  const postId = await publishedId(ada)
  await liked(bob, postId)
  vi.spyOn(env.MAIL, 'send').mockRejectedValueOnce(Object.assign(new Error('no'), { code: 'E_RECIPIENT_SUPPRESSED' }))
  await runDue()
  await liked(cyd, postId)
  await runDue(20)
  expect([await statesOf(ada), (await readPreferences(asUser(ada))).mailSuppressed]).toEqual([
    ['mail failed', 'mail dropped'],
    true,
  ])
  const { forgetSuppression } = await import('../../../src/services/deliveries/suppressions.ts')
  await forgetSuppression(asUser(ada))
  const [dan] = await accountsOn(1)
  await liked(dan, postId)
  await runDue(40)
  expect((await readPreferences(asUser(ada))).mailSuppressed).toBe(false)
  expect(mails.mailsTo(address).length).toBe(2)
})

test('during quiet hours a delivery waits for their end', async () => {
  const address = await withAddress(ada)
  const clock = (minutes: number) => new Date(Date.now() + minutes * 60_000).toISOString().slice(11, 16)
  await prefer(ada, { ...byMail, quietHours: { timeZone: 'UTC', from: clock(-10), to: clock(30) } })
  await liked(bob, await publishedId(ada))
  await runDue()
  await runDue(25)
  expect([await statesOf(ada), (await deliveriesOf(ada))[0]?.attempt]).toEqual([['mail due'], 0])
  await runDue(31)
  expect([await statesOf(ada), mails.mailsTo(address).length]).toEqual([['mail sent'], 1])
})

test('a follow that ended before its mail is not mailed, and its notification is gone', async () => {
  const address = await withAddress(ada)
  await prefer(ada, { rules: { follow: { mail: 'everyone' } } })
  await followAccount(asUser(bob), { accountId: ada })
  await queues.deliver()
  await unfollowAccount(asUser(bob), { accountId: ada })
  await queues.deliver()
  await runDue()
  expect([await statesOf(ada), mails.mailsTo(address)]).toEqual([['mail dropped'], []])
  expect((await listNotifications(asUser(ada), wholePage)).items).toEqual([])
})

test('an account with many due mails delays nobody else, and gets one mail about all of them', async () => {
  const address = await withAddress(ada)
  const [hog] = await accountsOn(0)
  await prefer(ada, byMail)
  const many = Array.from({ length: 1_200 }, (_, i) => ({
    account_id: Number(hog),
    event_id: i + 1,
    channel: 'mail',
    state: 'due',
    attempt: 0,
    next_at: 1,
  }))
  await insertRows(shards[0], 'deliveries', many)
  await liked(bob, await publishedId(ada))
  expect(await runDue()).toBe(2)
  expect(mails.mailsTo(address).length).toBe(1)
  const hogAddress = await withAddress(hog)
  await prefer(hog, byMail)
  const postId = await publishedId(hog)
  for (const other of await bulkIds(55)) await likePost(asUser(other), { postId })
  await queues.deliver()
  await runDue(20)
  const [mail] = mails.mailsTo(hogAddress)
  expect([mail?.subject, mail?.text.includes('And older ones.')]).toEqual(['50+ new notifications', true])
  await runDue(40)
  expect([mails.mailsTo(hogAddress).length, (await statesOf(hog)).includes('mail due')]).toEqual([1, false])
})

test('a mail that was sent is not sent again when the database fails after it', async () => {
  const address = await withAddress(ada)
  await prefer(ada, byMail)
  await liked(bob, await publishedId(ada))
  const fail =
    "CREATE TRIGGER down BEFORE UPDATE ON deliveries WHEN new.state = 'sent' BEGIN SELECT raise(abort, 'down'); END"
  await shards[0].prepare(fail).run()
  await runDue()
  expect(await statesOf(ada)).toEqual(['mail due'])
  await runDue(2)
  await shards[0].prepare('DROP TRIGGER down').run()
  await runDue(10)
  await runDue(60)
  expect([await statesOf(ada), mails.mailsTo(address).length]).toEqual([['mail sent'], 1])
})

test('a mail that the service refuses for its content does not suppress the address', async () => {
  await withAddress(ada)
  await prefer(ada, byMail)
  await liked(bob, await publishedId(ada))
  vi.spyOn(env.MAIL, 'send').mockRejectedValueOnce(Object.assign(new Error('no'), { code: 'E_VALIDATION_ERROR' }))
  await runDue()
  const { mailSuppressed } = await readPreferences(asUser(ada))
  expect([await statesOf(ada), mailSuppressed]).toEqual([['mail failed'], false])
})
