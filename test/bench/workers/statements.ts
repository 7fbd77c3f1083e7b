import { fillPlaceholders, sql } from 'drizzle-orm'
import { shardBindings } from '../../../src/platform/config.ts'
import { type Id, shardOf } from '../../../src/platform/data/ids.ts'
import { preparedSeek } from '../../../src/platform/data/page.ts'
import { idList, idTable } from '../../../src/platform/data/shards.ts'
import { HubObject } from '../../../src/platform/realtime/hub.object.ts'
import { selectHome } from '../../../src/services/feed/feeds.ts'
import { feedIndex } from '../../../src/services/feed/tables.ts'
import { hydrateOn } from '../../../src/services/posts/views.ts'

export { Sweeper } from '../../../src/platform/events/sweeper.object.ts'
export { AccessGuard } from '../../../src/platform/security/access-guard.object.ts'

export class Hub extends HubObject {
  protected override readonly channels = async () => []
}

// Only the SQL statements of a home feed: what the feed would cost if all code around them were free.
const viewerId = sql.placeholder('viewerId')
const firstPage = preparedSeek(feedIndex.postId, { hasCursor: false, backward: false })
const home = selectHome(viewerId, firstPage).toSQL()
const elsewhere = hydrateOn(viewerId, idTable(sql.placeholder('ids'))).toSQL()

type Row = { skeleton_id: number; handle: string | null }

export default {
  async fetch(request: Request, env: Env) {
    const reader = new URL(request.url).pathname.slice(1) as Id
    const ask = async (shard: number, { sql: text, params }: typeof home, values: Record<string, unknown>) => {
      const session = shardBindings(env).get(shard)!.withSession('first-unconstrained')
      const statement = session.prepare(text).bind(...fillPlaceholders(params, values))
      return (await statement.all<Row>()).results
    }
    const found = await ask(shardOf(reader), home, { viewerId: Number(reader), limit: 21 })
    const missing = found.filter((row) => row.handle === null).map((row) => String(row.skeleton_id) as Id)
    const others = Map.groupBy(missing, shardOf)
    const more = [...others].map(([shard, ids]) =>
      ask(shard, elsewhere, { viewerId: Number(reader), ids: idList(ids) }),
    )
    return Response.json([found, ...(await Promise.all(more))])
  },
}
