import { expect, test } from 'vitest'
import type { Id } from '../../../src/platform/data/ids.ts'
import { followAccount } from '../../../src/services/accounts/follows.ts'
import { readPreferences } from '../../../src/services/deliveries/preferences.ts'
import { unsubscribeToken } from '../../../src/services/deliveries/unsubscribe.ts'
import { likePost } from '../../../src/services/posts/likes.ts'
import { accountsOn, markSuspended } from '../../support/actors.ts'
import { client } from '../../support/client.ts'
import { countRows } from '../../support/databases.ts'
import { prefer, runDue, withAddress } from '../../support/deliveries.ts'
import { interceptMails } from '../../support/mails.ts'
import { queues } from '../../support/manual-queues.ts'
import { publishedId } from '../../support/posting.ts'
import { ada, bob, cyd } from '../../support/trio.ts'
import { asUser } from '../../support/viewers.ts'

const mails = interceptMails()
const byMail = { rules: { like: { mail: 'everyone' }, mention: { mail: 'everyone' } } } as const
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
  await prefer(ada, { rules: { follow: { inApp: 'nobody' } } })
  await prefer(ada, {})
  queues.sent.push(...late)
  await queues.deliver({ times: 3 })
  expect(await stored(ada)).toBe(0)
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
  const ofMail = url.pathname.split('/')[3]!
  const pathOf = (token: string) => `/v1/notification-mails/${token}/unsubscribe`
  const post = (token: string) =>
    anyone.fetch(pathOf(token), {
      method: 'POST',
      body: 'List-Unsubscribe=One-Click',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
    })
  const mailed = async () => {
    const { rules } = await readPreferences(asUser(ada))
    return [rules.like.mail, rules.mention.mail, rules.like.inApp]
  }
  for (const forged of [ofMail.replace('like', 'mention'), `${ofMail}A`, 'a.b.c'])
    expect((await post(forged)).status).toBe(404)
  const page = await anyone.fetch(url.pathname)
  expect([page.status, (await page.text()).includes('/?unsubscribe=')]).toEqual([200, true])
  expect(await mailed()).toEqual(['everyone', 'everyone', 'everyone'])
  for (let n = 0; n < 2; n++) expect((await post(ofMail)).status).toBe(204)
  expect(await mailed()).toEqual(['nobody', 'everyone', 'everyone'])
  await prefer(ada, byMail)
  expect((await post(ofMail)).status).toBe(204)
  expect(await mailed()).toEqual(['everyone', 'everyone', 'everyone'])
  await markSuspended(ada)
  const count = () => countRows('notification_rules', { account_id: ada })
  const before = await count()
  const token = await unsubscribeToken(queues.context(), ada, ['mention'])
  expect([(await post(token)).status, await count()]).toEqual([204, before])
})
