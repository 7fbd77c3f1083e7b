import { expect, test } from 'vitest'
import { blockAccount, unblockAccount } from '../../../src/services/accounts/blocks.ts'
import { notificationData } from '../../../src/services/notifications/personal.ts'
import { likePost } from '../../../src/services/posts/likes.ts'
import { accountsOn } from '../../support/actors.ts'
import { countRows } from '../../support/databases.ts'
import { queues } from '../../support/manual-queues.ts'
import { contextWith } from '../../support/platform.ts'
import { publishedId } from '../../support/posting.ts'
import { asUser } from '../../support/viewers.ts'

test('an export contains a notification exactly while the list shows it, also across blocks', async () => {
  const [ada, bob] = await accountsOn(0, 1)
  await likePost(asUser(bob), { postId: await publishedId(ada) })
  await queues.deliver()
  const exported = async () => {
    let text = ''
    for await (const { path, body } of notificationData.exported(contextWith(), ada))
      if (path === 'notifications.json') for await (const part of body) text += part
    return JSON.parse(text).length
  }
  expect(await exported()).toBe(1)
  for (const [by, other] of [
    [ada, bob],
    [bob, ada],
  ] as const) {
    await blockAccount(asUser(by), { accountId: other })
    await queues.deliver()
    expect([await exported(), await countRows('notifications', { account_id: ada })]).toEqual([0, 1])
    await unblockAccount(asUser(by), { accountId: other })
    await queues.deliver()
    expect(await exported()).toBe(1)
  }
})
