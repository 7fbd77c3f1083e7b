import type { z } from '@hono/zod-openapi'
import type { Ctx } from '../context.ts'
import type { Id } from '../data/ids.ts'

type Input = (id: string) => Record<string, unknown>
/** A field that a view lacks: a list that an operation returns, or the record that a field of the view names by id. */
type Relation = { description: string } & ({ list: string; input: Input } | { noun: string; idIn: string })

/**
 * A kind of record that the graph links. Its type has the fields of `view`; `views` contain some of them, and `load`
 * reads the others. To follow a link to it, callers need the access and scope of the operation `read`.
 */
export type Noun = {
  name: string
  view: z.ZodObject
  views?: z.ZodObject[]
  /** The ids of the operations that read one record, by the parameter `<noun>Id`, and the viewer's own. */
  read: string
  readOwn?: string
  /** Leaves out records that the viewer may not see. */
  load: (ctx: Ctx, ids: readonly Id[]) => Promise<ReadonlyMap<Id, object>>
  relations?: Record<string, Relation>
}

/** The list below a record that the operation `list` returns for the `input`. */
export const listed = (list: string, input: Input, description: string): Relation => ({ list, input, description })

/** The record of `noun` that the field `idIn` names; null if the viewer may not see it. */
export const linked = (noun: string, idIn: string, description: string): Relation => ({ noun, idIn, description })
