import type { z } from '@hono/zod-openapi'
import type { Ctx } from '../context.ts'
import type { Id } from '../data/ids.ts'

type Input = (id: string) => Record<string, unknown>
type Relation = { description: string } & ({ list: string; input: Input } | { noun: string; idIn: string })

/** A kind of record that has an id in the graph. `views` have some fields of `view`; `load` reads the others. */
export type Noun = {
  name: string
  view: z.ZodObject
  views?: z.ZodObject[]
  /** The operation that reads a record by `<noun>Id`. Links to the record require its access and scope. */
  read: string
  readOwn?: string
  load: (ctx: Ctx, ids: readonly Id[]) => Promise<ReadonlyMap<Id, object>>
  relations?: Record<string, Relation>
}

/** The list below a record that the operation `list` returns for the `input`. */
export const listed = (list: string, input: Input, description: string): Relation => ({ list, input, description })

/** The record of `noun` that the field `idIn` names; null if the viewer may not see it. */
export const linked = (noun: string, idIn: string, description: string): Relation => ({ noun, idIn, description })
