import { asViewer, type SystemCtx } from '../../platform/context.ts'
import type { Id } from '../../platform/data/ids.ts'
import { visiblePosts } from '../posts/views.ts'
import type { Act, Activity, Seen } from './activities.ts'
import { type Entry, VIEW } from './fold.ts'
import { choicesOf } from './people.ts'

type Choices = ReadonlyMap<Id, boolean | null>

export const isSeen = (activity: Activity): activity is Seen => 'viewer' in activity
/** These happen before the account exists, so that nobody can have declined. */
const beforeAccount = new Set(['register', 'verify'])

/**
 * The entries of activities, without those that must not count. Acts of people who declined count without the person;
 * views count only of people who agreed, and of posts of others that they may see.
 */
export async function entriesOf(ctx: SystemCtx, activities: readonly Activity[]): Promise<Entry[]> {
  const ids = activities.flatMap((each) => (isSeen(each) ? [each.viewer] : [each.actor, each.author]))
  const choices = await choicesOf(
    ctx,
    ids.filter((id) => id !== null),
  )
  const acts = activities.flatMap((each) => (isSeen(each) ? [] : [entryOf(choices, each)]))
  const readers = Map.groupBy(activities.filter(isSeen), ({ viewer }) => viewer)
  const views = await Promise.all(
    [...readers].map(([viewer, reports]) => (choices.get(viewer) ? viewsOf(ctx, viewer, reports) : [])),
  )
  return [...acts, ...views.flat()]
}

function entryOf(choices: Choices, { actor, author, ...act }: Act): Entry {
  const isKnown = actor !== null && (choices.has(actor) || beforeAccount.has(act.kind))
  return {
    ...act,
    actor: isKnown && choices.get(actor) !== false ? actor : null,
    author: author !== null && author !== actor && choices.has(author) ? author : null,
  }
}

/** Reads which posts the viewer may see once for all reports. */
async function viewsOf(ctx: SystemCtx, viewer: Id, reports: readonly Seen[]): Promise<Entry[]> {
  const ids = [...new Set(reports.flatMap(({ postIds }) => postIds))]
  const visible = await visiblePosts(asViewer(ctx, viewer), ids)
  return reports.flatMap(({ postIds, surface, at }) =>
    postIds.flatMap((post): Entry[] => {
      const author = visible.get(post)?.authorId
      const isOther = author !== undefined && author !== viewer
      return isOther ? [{ id: '', kind: VIEW, at, actor: viewer, author, post, surface }] : []
    }),
  )
}
