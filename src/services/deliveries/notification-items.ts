import type { SystemCtx } from '../../platform/context.ts'
import type { Notification } from '../notifications/views.ts'
import { isPublic } from '../posts/policy.ts'
import { type Items, MAX_NAME, MAX_QUOTE, short } from './items.ts'
import type { Settings } from './preferences.ts'
import type { Claimed } from './rows.ts'
import { readWanted } from './wanted.ts'

export const actions: Record<Notification['kind'], string> = {
  follow: 'followed you',
  like: 'liked your post',
  comment: 'commented on your post',
  mention: 'mentioned you',
}

export async function readNotificationItems(ctx: SystemCtx, claimed: Claimed, settings: Settings): Promise<Items> {
  const wanted = await readWanted(ctx, claimed, settings)
  const items = wanted.map((notification) => {
    const { id, kind, post, actor } = notification
    return {
      id,
      kind,
      title: `${short(actor.displayName, MAX_NAME)} ${actions[kind]}`,
      quote: quoteOf(notification, settings),
      path: post ? `/posts/${post.id}` : `/@${actor.handle}`,
      topic: `${kind}-${post?.id ?? 'all'}`,
      tag: id,
      isUrgent: kind === 'comment' || kind === 'mention',
    }
  })
  return { items }
}

/** The beginning of its post, if the account asked for texts and everyone may read the post. */
const quoteOf = ({ post }: Notification, { includeText }: Settings) =>
  includeText && post && isPublic(post) ? short(post.text, MAX_QUOTE) : null
