import type { SystemCtx } from '../../platform/context.ts'
import type { Id } from '../../platform/data/ids.ts'
import { settleConcurrently } from '../../platform/data/shards.ts'
import { on } from '../../platform/events/events.ts'
import { accountBlocked, accountFollowed, accountUnfollowed } from '../accounts/events.ts'
import { postDeleted, postEdited, postLiked, postPublished, postUnliked } from '../posts/events.ts'
import { notify, tellLikeWithdrawn, tellPostWithdrawn, withdrawPost } from './notify.ts'
import type { Kind } from './tables.ts'

type Follow = { followerId: Id; followeeId: Id }

const syncFollow = (ctx: SystemCtx, { followerId, followeeId }: Follow, id: Id) =>
  notify(ctx, followeeId, { id, kind: 'follow', actorId: followerId, postId: null })

export const notificationSubscriptions = [
  on(accountFollowed, 'notify-followee', syncFollow),
  on(accountUnfollowed, 'withdraw-follow', syncFollow),
  on(accountBlocked, 'withdraw-follows', (ctx, { accountId, otherId }, id) =>
    settleConcurrently(
      [
        { followerId: otherId, followeeId: accountId },
        { followerId: accountId, followeeId: otherId },
      ],
      (follow) => syncFollow(ctx, follow, id),
    ),
  ),
  on(postLiked, 'notify-author', (ctx, { postId, authorId, actorId }, id) =>
    notify(ctx, authorId, { id, kind: 'like', actorId, postId }),
  ),
  on(postPublished, 'notify-mentioned', async (ctx, { postId, authorId, parentAuthorId, mentioned }, id) => {
    const kinds = new Map<Id, Kind>(mentioned.map((accountId) => [accountId, 'mention']))
    if (parentAuthorId) kinds.set(parentAuthorId, 'comment') // replaces a mention: one notification per account
    await settleConcurrently([...kinds], ([accountId, kind]) =>
      notify(ctx, accountId, { id, kind, actorId: authorId, postId }),
    )
  }),
  on(postEdited, 'sync-mentions', syncMentions),
  on(postDeleted, 'withdraw-mentions', (ctx, { postId, authorId, parentAuthorId, mentioned }) =>
    withdrawPost(ctx, parentAuthorId ? [...mentioned, parentAuthorId] : mentioned, { postId, authorId }),
  ),
  on(postDeleted, 'tell-author', (ctx, { postId, authorId }) => tellPostWithdrawn(ctx, authorId, postId)),
  on(postUnliked, 'tell-author', async (ctx, { actorId, likeId, toldId }) => {
    if (toldId && likeId) await tellLikeWithdrawn(ctx, toldId, { id: likeId, actorId })
  }),
]

type Edit = { postId: Id; authorId: Id; parentAuthorId: Id | null; added: readonly Id[]; removed: readonly Id[] }

/** Each follows what the post mentions now, because edits may arrive in any order. The parent's author is notified anyway. */
async function syncMentions(ctx: SystemCtx, { postId, authorId, parentAuthorId, added, removed }: Edit, id: Id) {
  const mentions = [...added, ...removed].filter((accountId) => accountId !== parentAuthorId)
  await settleConcurrently(mentions, (accountId) =>
    notify(ctx, accountId, { id, kind: 'mention', actorId: authorId, postId }),
  )
}
