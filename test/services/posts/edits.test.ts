import { expect, test } from 'vitest'
import type { Id } from '../../../src/platform/data/ids.ts'
import { listNotifications } from '../../../src/services/notifications/notifications.ts'
import { editPost } from '../../../src/services/posts/edits.ts'
import { getPost } from '../../../src/services/posts/posts.ts'
import { handleOf } from '../../support/actors.ts'
import { costOf, expectWithin } from '../../support/budgets.ts'
import { queues } from '../../support/manual-queues.ts'
import { pendingEvents } from '../../support/outboxes.ts'
import { publish, publishedId } from '../../support/posting.ts'
import { ada, bob, cyd } from '../../support/trio.ts'
import { asUser, failure, wholePage } from '../../support/viewers.ts'

const edit = (by: Id, postId: Id, text: string) => editPost(asUser(by), { postId, text })
const mentionsOf = async (recipient: Id, postId: Id) => {
  const { items } = await listNotifications(asUser(recipient), wholePage)
  return items.filter(({ kind, post }) => kind === 'mention' && post?.id === postId).length
}

test('an author edits the text of a post: it shows its new entities and when it was edited, and all else stays', async () => {
  const before = await publish(ada, { text: '#one', visibility: 'followers' })
  expect(before.editedAt).toBeNull()
  const after = await edit(ada, before.id, `  #two https://example.org `)
  expect(after).toEqual({
    ...before,
    text: '#two https://example.org',
    entities: [expect.objectContaining({ tag: 'two' }), expect.objectContaining({ kind: 'link' })],
    editedAt: expect.any(String),
  })
  expect(await getPost(asUser(ada), { postId: before.id })).toEqual(after)
})

test('an edit notifies whom it newly mentions, withdraws who is gone, and notifies nobody twice', async () => {
  const postId = await publishedId(ada, { text: `@${handleOf(bob)}` })
  await queues.deliver()
  await edit(ada, postId, `@${handleOf(bob)} and @${handleOf(cyd)}`)
  await queues.deliver({ times: 3 })
  expect([await mentionsOf(bob, postId), await mentionsOf(cyd, postId)]).toEqual([1, 1])
  await edit(ada, postId, `only @${handleOf(cyd)}`)
  await edit(ada, postId, 'nobody')
  await edit(ada, postId, `again @${handleOf(cyd)}`)
  await queues.deliver()
  expect([await mentionsOf(bob, postId), await mentionsOf(cyd, postId)]).toEqual([0, 1])
})

test('others cannot edit a post, nor learn of one that they cannot see, and a bad text changes nothing', async () => {
  const { id } = await publish(ada, { text: 'mine' })
  const hidden = await publishedId(ada, { visibility: 'followers' })
  await expect(edit(bob, id, 'yours')).rejects.toEqual(failure('forbidden'))
  await expect(edit(bob, hidden, 'yours')).rejects.toEqual(failure('not_found'))
  await expect(edit(ada, id, '   ')).rejects.toEqual(failure('invalid'))
  await expect(edit(ada, id, 'x'.repeat(501))).rejects.toEqual(failure('invalid'))
  expect(await getPost(asUser(ada), { postId: id })).toMatchObject({ text: 'mine', editedAt: null })
})

test('of two edits at the same time one is refused, and the same text again changes nothing', async () => {
  const postId = await publishedId(ada, { text: 'start' })
  const outcomes = await Promise.allSettled([edit(ada, postId, 'left'), edit(ada, postId, 'right')])
  const [lost] = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason] : []))
  expect(lost).toEqual(failure('conflict'))
  const current = await getPost(asUser(ada), { postId })
  await queues.deliver()
  expect(await edit(ada, postId, current.text)).toEqual(current)
  expect(await pendingEvents()).toBe(0)
})

test('an edit takes two trips, and none of them to the directory', async () => {
  const postId = await publishedId(ada, { text: 'start' })
  const cost = await costOf(ada, (ctx) => editPost(ctx, { postId, text: 'edited' }))
  expectWithin('edit', cost, { trips: 2, rowsRead: 12, rowsWritten: 4, objectCalls: 1, queueMessages: 1 })
})
