import type { UserCtx } from '../../src/platform/context.ts'
import { listMyAudit } from '../../src/services/audit/entries.ts'
import type { Read, Surface } from './surfaces.ts'

const page = { limit: 50 }
const own = ({ ctx }: Read) => ctx as UserCtx

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
}
