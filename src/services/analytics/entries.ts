import { asViewer, type SystemCtx } from '../../platform/context.ts'
import type { Id } from '../../platform/data/ids.ts'
import { visiblePosts } from '../posts/views.ts'
import type { Act, Activity, Seen } from './activities.ts'
import { bucketOf } from './buckets.ts'
import { type Entry, VIEW } from './fold.ts'
import { choicesOf, Pseudonyms } from './people.ts'

type Sources = { people: Pseudonyms; choices: ReadonlyMap<Id, boolean | null> }

const isSeen = (activity: Activity): activity is Seen => 'viewer' in activity

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
  const sources = { people: new Pseudonyms(ctx), choices }
  const entries = activities.map((each) => (isSeen(each) ? viewsOf(ctx, sources, each) : entryOf(sources, each)))
  return (await Promise.all(entries)).flat()
}

async function entryOf({ people, choices }: Sources, { actor, author, ...act }: Act): Promise<Entry> {
  const isCounted = actor !== null && choices.has(actor) && choices.get(actor) !== false
  return {
    ...act,
    person: isCounted ? await people.person(actor, act.at) : null,
    author: author !== null && choices.has(author) ? author : null,
  }
}

async function viewsOf(ctx: SystemCtx, { people, choices }: Sources, seen: Seen): Promise<Entry[]> {
  const { viewer, postIds, surface, at } = seen
  if (!choices.get(viewer)) return []
  const visible = await visiblePosts(asViewer(ctx, viewer), postIds)
  const person = await people.person(viewer, at)
  const views = [...visible.values()].map(async ({ id: post, authorId: author }): Promise<Entry[]> => {
    const id = author === viewer ? null : await people.of(bucketOf('day', at), `${viewer}:${post}`)
    return id === null ? [] : [{ id, kind: VIEW, at, person, author, post, surface }]
  })
  return (await Promise.all(views)).flat()
}
