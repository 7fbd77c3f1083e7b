import { Id } from '../../platform/data/ids.ts'
import { MAX_LIMIT } from '../../platform/data/page.ts'
import { invalid } from '../../platform/failures.ts'
import type { Noun } from '../../platform/graphql/noun.ts'
import type { Fields } from './builder.ts'
import { admitRoot } from './calls.ts'
import { readGlobalId } from './global-id.ts'
import type { Graph } from './graph.ts'
import { type Find, recordOf } from './nouns.ts'

type Place = { nouns: readonly Noun[]; find: Find }

/** The root fields of Relay. A record that the viewer may not see is null, like one that does not exist. */
export function nodeFields(nouns: readonly Noun[], find: Find): Fields {
  const place = { nouns, find }
  return {
    node: {
      type: 'Node',
      nullable: true,
      description: 'Read a record by its id in the whole graph; null if you may not see it',
      args: { id: { type: 'ID' } },
      resolve: async (_: unknown, { id }: { id: string }, graph) => {
        await admitNodes(graph, place, [id])
        return nodeOf(graph, place, id)
      },
    },
    nodes: {
      type: 'Node',
      isList: true,
      hasGaps: true,
      nullable: true,
      description: `Read up to ${MAX_LIMIT} records by their ids, as one request; those that you may not see are null`,
      args: { ids: { type: 'ID', isList: true } },
      resolve: async (_: unknown, { ids }: { ids: string[] }, graph) => {
        await admitNodes(graph, place, ids)
        return ids.map((id) => nodeOf(graph, place, id))
      },
    },
  }
}

async function admitNodes(graph: Graph, { nouns, find }: Place, ids: readonly string[]): Promise<void> {
  if (ids.length > MAX_LIMIT) throw invalid('ids', `may have at most ${MAX_LIMIT} entries`)
  const [noun] = ids.flatMap((id) => nounOf(nouns, id) ?? [])
  await admitRoot(graph, noun ? find.operation(noun.read) : { access: 'public' })
}

async function nodeOf(graph: Graph, { nouns, find }: Place, globalId: string): Promise<object | null> {
  const noun = nounOf(nouns, globalId)
  const id = Id.safeParse(readGlobalId(globalId)?.id)
  const record = noun && id.success ? await recordOf(graph, noun, find, id.data) : null
  return record && { ...record, __typename: noun?.name }
}

const nounOf = (nouns: readonly Noun[], globalId: string) =>
  nouns.find(({ name }) => name === readGlobalId(globalId)?.noun)
