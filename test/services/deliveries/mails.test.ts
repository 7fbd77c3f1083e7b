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
import { client } from '../../support/client.ts'
import { countRows } from '../../support/databases.ts'
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
const stored = (accountId: Id) => countRows('notifications', { account_id: accountId })

async function liked(by: Id, postId: Id): Promise<void> {
  await likePost(asUser(by), { postId })
  await queues.deliver()
}

test('an action whose audience excludes its actor stores nothing, and one that includes the actor notifies', async () => {
  const postId = await publishedId(ada)
  await followAccount(asUser(ada), { accountId: bob })
  await queues.deliver()
  await prefer(ada, { rules: { like: { inApp: 'followed' } } })
  await liked(cyd, postId)
  expect(await stored(ada)).toBe(0)
  await liked(bob, postId)
  expect(await stored(ada)).toBe(1)
  await prefer(ada, { rules: { like: { inApp: 'followers' } } })
  const [dan, eve] = await accountsOn(1, 0)
  await followAccount(asUser(dan), { accountId: ada })
  await queues.deliver()
  const before = await stored(ada)
  await liked(eve, postId)
  expect(await stored(ada)).toBe(before)
  await liked(dan, postId)
  expect(await stored(ada)).toBe(before + 1)
  await prefer(ada, { rules: { like: { inApp: 'nobody' } } })
  const [fay] = await accountsOn(0)
  await liked(fay, postId)
  expect(await stored(ada)).toBe(before + 1)
})

test('a late or repeated event is decided by the relations and the rules of its time', async () => {
  const postId = await publishedId(ada)
  await prefer(ada, { rules: { like: { inApp: 'followed' } } })
  await likePost(asUser(bob), { postId })
  const late = await queues.delayMessages({ run: true })
  await followAccount(asUser(ada), { accountId: bob })
  await queues.deliver()
  queues.sent.push(...structuredClone(late))
  await queues.deliver({ times: 3 })
  expect(await stored(ada)).toBe(0)
  await prefer(ada, {})
  queues.sent.push(...late)
  await queues.deliver({ times: 3 })
  expect(await stored(ada)).toBe(0)
})

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
    ['read', (_, author) => markRead(asUser(author), {})],
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
  const { forgetSuppression } = await import('../../../src/services/deliveries/preferences.ts')
  await forgetSuppression(asUser(ada))
  const [dan] = await accountsOn(1)
  await liked(dan, postId)
  await runDue(40)
  expect((await readPreferences(asUser(ada))).mailSuppressed).toBe(false)
  expect(mails.mailsTo(address).length).toBe(2)
})

test('one click in a mail stops mails of its kinds without a login, and a forged token does nothing', async () => {
  const address = await withAddress(ada)
  await prefer(ada, byMail)
  await liked(bob, await publishedId(ada))
  await runDue()
  const [mail] = mails.mailsTo(address)
  const { headers } = mail as unknown as { headers: Record<string, string> }
  expect(headers['List-Unsubscribe-Post']).toBe('List-Unsubscribe=One-Click')
  const url = new URL(/^<(.+)>$/.exec(headers['List-Unsubscribe']!)![1]!)
  const anyone = client(() => null)
  const post = (search: string) =>
    anyone.fetch(url.pathname + search, {
      method: 'POST',
      body: 'List-Unsubscribe=One-Click',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
    })
  const mailed = async () => {
    const { rules } = await readPreferences(asUser(ada))
    return [rules.like.mail, rules.mention.mail, rules.like.inApp]
  }
  for (const forged of [url.search.replace('like', 'mention'), `${url.search}A`, '?token=a.b.c'])
    expect((await post(forged)).status).toBe(422)
  const page = await anyone.fetch(url.pathname + url.search)
  expect([page.status, (await page.text()).includes('/?unsubscribe=')]).toEqual([200, true])
  expect(await mailed()).toEqual(['everyone', 'everyone', 'everyone'])
  for (let n = 0; n < 2; n++) expect((await post(url.search)).status).toBe(204)
  expect(await mailed()).toEqual(['nobody', 'everyone', 'everyone'])
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
