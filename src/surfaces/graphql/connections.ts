import { getRefId } from '@asteasolutions/zod-to-openapi'
import { z } from '@hono/zod-openapi'
import { DEFAULT_LIMIT, hasPrevious, MAX_LIMIT, type Page, positionOf } from '../../platform/data/page.ts'
import { invalid } from '../../platform/failures.ts'
import { type Argument, type Builder, type Fields, mapped } from './builder.ts'
import type { Types } from './types.ts'

/** The arguments of a list that follow Relay; it may have further ones. */
export const pageArguments: Record<string, Argument> = {
  first: { type: 'Int', nullable: true, description: `At most ${MAX_LIMIT}; by default ${DEFAULT_LIMIT}` },
  after: { type: 'String', nullable: true, description: 'A cursor: the page has the items after it' },
  last: { type: 'Int', nullable: true, description: 'Like `first`, with `before`' },
  before: { type: 'String', nullable: true, description: 'A cursor: the page has the items before it' },
}

type Args = Record<string, unknown>
export type Connection = { page: Page<unknown>; args: Args }
type Edge = { page: Page<unknown>; index: number; node: unknown }

/** The arguments of the operation: `limit` and `cursor` instead of those of Relay. Throws `invalid` if they conflict. */
export function pageInput({ first, after, last, before, ...args }: Args): Args {
  const isBackward = (before ?? last ?? null) !== null
  if (isBackward && (first ?? after ?? null) !== null) throw invalid('before', 'excludes first and after')
  if (isBackward && (before ?? null) === null) throw invalid('last', 'requires before')
  const cursor = isBackward ? `p.${before}` : (after ?? null) === null ? null : `n.${after}`
  return { ...args, limit: isBackward ? last : first, cursor }
}

/** The item of a schema of pages; null for any other schema. */
export function itemOf(schema: z.ZodType | null): z.ZodType | null {
  const isPage = schema instanceof z.ZodObject && 'items' in schema.shape && 'nextCursor' in schema.shape
  const items: unknown = isPage ? schema.shape.items : null
  return items instanceof z.ZodArray && items.element instanceof z.ZodType ? items.element : null
}

/** Defines the connection of a schema of pages, and returns its name. */
export function connectionOf(builder: Builder, types: Types, page: z.ZodType, item: z.ZodType): string {
  const base = getRefId(page)?.replace(/Page$/, '')
  if (!base) throw new Error('a page needs a name')
  const [name, edge] = [`${base}Connection`, `${base}Edge`]
  return builder.once(name, () => {
    const { type } = types.output(item, base)
    builder.object(edge, {
      cursor: {
        type: 'String',
        resolve: ({ page, index }: Edge, _, { reads }) => positionOf(reads, page, index),
      },
      node: { type, extensions: { passes: true } },
    })
    builder.object(name, {
      edges: { type: edge, isList: true, extensions: { passes: true }, resolve: edgesOf },
      nodes: { type, isList: true, extensions: { passes: true }, resolve: ({ page }: Connection) => page.items },
      pageInfo: { type: 'PageInfo', resolve: pageInfoOf },
      ...furtherFields(page, types, name),
    })
  })
}

function edgesOf({ page }: Connection): Edge[] {
  return page.items.map((node, index) => ({ page, index, node }))
}

function pageInfoOf({ page, args }: Connection) {
  const { nextCursor, previousCursor } = page
  return {
    hasNextPage: nextCursor !== null,
    hasPreviousPage: hasPrevious(page) || (args.after ?? null) !== null,
    startCursor: positionIn(previousCursor ?? nextCursor),
    endCursor: positionIn(nextCursor ?? previousCursor),
  }
}

const positionIn = (cursor: string | null) => cursor?.slice(2) ?? null

/** Fields that only some pages have, such as `endCursor`. */
function furtherFields(page: z.ZodType, types: Types, name: string): Fields {
  if (!(page instanceof z.ZodObject)) return {}
  const own = page.omit({ items: true, nextCursor: true, previousCursor: true })
  return mapped(types.fieldsOf(own, name), (field, key) => ({
    ...field,
    resolve: ({ page }: Connection) => {
      const value: unknown = Reflect.get(page, key)
      return key.endsWith('Cursor') && typeof value === 'string' ? positionIn(value) : value
    },
  }))
}
