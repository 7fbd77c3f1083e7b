import type { Id } from '../../platform/data/ids.ts'
import { on } from '../../platform/events/events.ts'
import { accountFollowed } from '../accounts/events.ts'
import { postLiked, postPublished } from '../posts/events.ts'
import { loadPostFacts } from '../posts/queries.ts'
import { notify } from './notify.ts'
import type { Kind } from './tables.ts'

export const notificationSubscriptions = [
  on(accountFollowed, 'notify-followee', (ctx, { followerId, followeeId }, id) =>
    notify(ctx, followeeId, { id, kind: 'follow', actorId: followerId, postId: null }),
  ),
  on(postLiked, 'notify-author', (ctx, { postId, authorId, actorId }, id) =>
    notify(ctx, authorId, { id, kind: 'like', actorId, postId }),
  ),
  on(postPublished, 'notify-mentioned', async (ctx, { postId, authorId }, id) => {
    const post = await loadPostFacts(ctx, postId)
    if (!post) return
    const parent = post.parentId && (await loadPostFacts(ctx, post.parentId))
    const kinds = new Map<Id, Kind>()
    for (const entity of post.entities) if (entity.kind === 'mention') kinds.set(entity.accountId, 'mention')
    if (parent) kinds.set(parent.authorId, 'comment') // replaces a mention: one notification per account
    await settleAll(
      [...kinds].map(([accountId, kind]) => notify(ctx, accountId, { id, kind, actorId: authorId, postId })),
    )
  }),
]

/** Throws the first failure only after all work has settled, so that one failure does not prevent the rest. */
async function settleAll(work: Iterable<Promise<unknown>>): Promise<void> {
  const outcomes = await Promise.allSettled(work)
  const failed = outcomes.find((outcome) => outcome.status === 'rejected')
  if (failed) throw failed.reason
}
