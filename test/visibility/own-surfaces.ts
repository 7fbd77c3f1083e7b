import type { UserCtx } from '../../src/platform/context.ts'
import { listMyAudit } from '../../src/services/audit/entries.ts'
import { listNotificationGroups } from '../../src/services/notifications/groups.ts'
import { countUnread, listNotifications } from '../../src/services/notifications/notifications.ts'
import type { Model } from './model.ts'
import type { Read, Surface } from './surfaces.ts'

const page = { limit: 50 }
const own = ({ ctx }: Read) => ctx as UserCtx

type Viewer = string | null

function expectedNotifications({ notifications, blocks, knows, sees }: Model, viewer: Viewer): string[] {
  const visible = notifications.filter(
    ({ to, actor }) => to === viewer && knows(to, actor) && !blocks.has(`${to} ${actor}`),
  )
  return visible.flatMap(({ to, kind, actor, id }) => (id && !sees(to, id) ? [] : `${kind} ${actor} ${id}`)).sort()
}

/** Read operations that show only what belongs to the viewer. */
export const ownSurfaces: Record<string, Surface> = {
  // Who else appears in the entries of the viewer.
  listMyAudit: {
    of: 'viewer',
    actual: async (read) => {
      const { items } = await listMyAudit(own(read), page)
      const ids = items.flatMap(({ accountId, actorId }) => [accountId, actorId])
      return ids.filter((id) => id !== null && id !== own(read).viewer.id)
    },
    expected: () => [],
  },
  listNotifications: {
    of: 'viewer',
    actual: async (read) =>
      (await listNotifications(own(read), page)).items
        .map(({ kind, actor, post }) => `${kind} ${read.nameOf(actor.id)} ${read.nameOf(post?.id) ?? null}`)
        .sort(),
    expected: expectedNotifications,
  },
  listNotificationGroups: {
    of: 'viewer',
    actual: async (read) =>
      (await listNotificationGroups(own(read), page)).items
        .map(({ kind, post, actors, actorCount }) => {
          const single = kind === 'like' || kind === 'follow' ? '' : read.nameOf(actors[0]?.id)
          return `${kind} ${read.nameOf(post?.id) ?? null} ${single} ${actorCount}`
        })
        .sort(),
    expected: (model, viewer) => {
      const keys = expectedNotifications(model, viewer).map((each) => {
        const [kind, actor, id] = each.split(' ')
        return `${kind} ${id} ${kind === 'like' || kind === 'follow' ? '' : actor}`
      })
      return [...Map.groupBy(keys, (key) => key)].map(([key, all]) => `${key} ${all.length}`).sort()
    },
  },
  countUnreadNotifications: {
    of: 'viewer',
    actual: async (read) => (await countUnread(own(read))).count,
    expected: (model, viewer) => expectedNotifications(model, viewer).length,
  },
}
