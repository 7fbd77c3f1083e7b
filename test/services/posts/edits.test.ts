import { env } from 'cloudflare:workers'
import { expect, test } from 'vitest'
import type { UserCtx } from '../../../src/platform/context.ts'
import type { Id } from '../../../src/platform/data/ids.ts'
import { Failure } from '../../../src/platform/failures.ts'
import { noRights } from '../../../src/platform/security/rights.ts'
import { blockAccount } from '../../../src/services/accounts/blocks.ts'
import { followAccount } from '../../../src/services/accounts/follows.ts'
import { forgetHandle } from '../../../src/services/identity/queries.ts'
import { listNotifications } from '../../../src/services/notifications/notifications.ts'
import { withdrawPost } from '../../../src/services/notifications/notify.ts'
import { editPost } from '../../../src/services/posts/edits.ts'
import { likePost } from '../../../src/services/posts/likes.ts'
import { deletePost, getPost } from '../../../src/services/posts/posts.ts'
import { accountsOn, bulkIds, handleOf } from '../../support/actors.ts'
import { costOf, expectWithin } from '../../support/budgets.ts'
import { movableClock } from '../../support/clock.ts'
import { countRows, insertRows, shards } from '../../support/databases.ts'
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

/** An editor by a custom role, who follows Ada and so may read her posts. */
const asEditor = (id: Id): UserCtx => {
  const ctx = asUser(id)
  const roles = [{ name: 'editor', permissions: ['posts:edit'] }]
  const viewer = { ...ctx.viewer, scopes: new Set(['moderation']) }
  return { ...ctx, viewer, readRights: async () => ({ ...noRights, roles }), readLoginTime: async () => Date.now() }
}

test('an editor mentions nobody new and removes no mention that stays in the text, not even of an account it blocks', async () => {
  const [author, editor, kept, added] = await accountsOn(0, 1, 1, 0)
  await followAccount(asUser(editor), { accountId: author })
  await blockAccount(asUser(editor), { accountId: kept })
  const postId = await publishedId(author, { visibility: 'followers', text: `@${handleOf(kept)}` })
  await queues.deliver()
  const text = `Corrected: @${handleOf(kept)}, @${handleOf(added)}`
  const { entities } = await editPost(asEditor(editor), { postId, text })
  await queues.deliver()
  expect(entities).toMatchObject([{ accountId: kept }])
  await expect(getPost(asUser(added), { postId })).rejects.toEqual(failure('not_found'))
  expect([await mentionsOf(kept, postId), await mentionsOf(added, postId)]).toEqual([1, 0])
  expect((await edit(author, postId, `${text}!`)).entities).toMatchObject([{ accountId: kept }, { accountId: added }])
})

test('an edit of the post of somebody else needs a fresh login and the scope of the staff', async () => {
  const postId = await publishedId(ada)
  const editor = asEditor(bob)
  const change = { postId, text: 'corrected' }
  const attempts = [
    { ...editor, readLoginTime: async () => Date.now() - 11 * 60_000 },
    { ...editor, readLoginTime: undefined },
    { ...editor, viewer: { ...editor.viewer, sessionId: 'key:1' } },
  ]
  for (const ctx of attempts) await expect(editPost(ctx, change)).rejects.toEqual(expect.any(Failure))
  const unscoped = { ...editor, viewer: { ...editor.viewer, scopes: new Set<string>() } }
  await expect(editPost(unscoped, change)).rejects.toEqual(failure('insufficient_scope'))
  expect((await getPost(asUser(ada), { postId })).text).toBe('hello')
  expect((await editPost(editor, change)).text).toBe('corrected')
})

test('a handle that somebody else has since still means the account of the old text', async () => {
  const [author, before, after] = await accountsOn(0, 1, 0)
  const handle = handleOf(before)
  const postId = await publishedId(author, { visibility: 'followers', text: `@${handle}` })
  const sql = 'update handles set handle = ? where account_id = ?'
  for (const [name, owner] of [
    [`${handle}_2`, before],
    [handle, after],
  ] as const)
    await env.DIRECTORY.prepare(sql).bind(name, Number(owner)).run()
  await forgetHandle(queues.context(), handle)
  expect((await edit(author, postId, `@${handle} again`)).entities).toMatchObject([{ accountId: before }])
  await expect(getPost(asUser(after), { postId })).rejects.toEqual(failure('not_found'))
})

test('a mention added by a late edit notifies once, and its notification is deleted with the post', async () => {
  const [author, mentioned] = await accountsOn(0, 1)
  const clock = movableClock()
  const postId = await publishedId(author)
  await queues.deliver()
  clock.advance(30 * 86_400_000)
  await edit(author, postId, `@${handleOf(mentioned)}`)
  const [added] = await queues.delayMessages({ run: true })
  await edit(author, postId, `you, @${handleOf(mentioned)}`)
  await queues.deliver()
  queues.sent.push(added!, added!)
  await queues.deliver()
  expect(await countRows('notifications', { account_id: mentioned })).toBe(1)
  await deletePost(asUser(author), { postId })
  await queues.deliver()
  expect(await countRows('notifications', { account_id: mentioned })).toBe(0)
})

test('a mention that an edit removes before its event arrives notifies nobody', async () => {
  const [author, mentioned] = await accountsOn(0, 1)
  const postId = await publishedId(author, { text: `@${handleOf(mentioned)}` })
  const published = await queues.delayMessages({ run: true })
  await edit(author, postId, 'nobody')
  await queues.deliver()
  queues.sent.push(...published)
  await queues.deliver()
  expect(await countRows('notifications', { account_id: mentioned })).toBe(0)
})

test('an author who mentions themselves keeps the notifications of likes', async () => {
  const [author, fan] = await accountsOn(0, 1)
  const postId = await publishedId(author)
  await likePost(asUser(fan), { postId })
  await queues.deliver()
  await edit(author, postId, `me, @${handleOf(author)}`)
  await edit(author, postId, 'no longer')
  await queues.deliver({ times: 2 })
  expect(await countRows('notifications', { account_id: author })).toBe(1)
})

test('a withdrawal of a mention reads a few rows, however many notifications the recipient has', async () => {
  const [author, mentioned] = await accountsOn(0, 0)
  const [postId, ...others] = [await publishedId(author, { text: `@${handleOf(mentioned)}` }), ...(await bulkIds(500))]
  await queues.deliver()
  const row = { account_id: Number(mentioned), kind: 'mention', actor_id: Number(author), arrived_at: 1 }
  const rows = others.map((id, i) => ({ ...row, id: 1_000_000 + i, post_id: Number(id) }))
  await insertRows(shards[0], 'notifications', rows)
  const ctx = queues.context()
  await withdrawPost(ctx, [mentioned], { postId, authorId: author })
  expect([await countRows('notifications', { account_id: mentioned }), ctx.cost.trips]).toEqual([500, 1])
  expect(ctx.cost.rowsRead).toBeLessThan(14)
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
