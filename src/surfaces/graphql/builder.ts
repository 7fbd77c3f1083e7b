import SchemaBuilder from '@pothos/core'
import RelayPlugin from '@pothos/plugin-relay'
import type { GraphQLResolveInfo } from 'graphql'
import type { Graph, GraphContext } from './graph.ts'

type Resolve = (row: never, args: never, graph: Graph, info: GraphQLResolveInfo) => unknown

/** A type by its name. */
type TypeRef = { type: string; isList?: boolean; nullable?: boolean }
export type Argument = TypeRef & { description?: string | undefined }
/** Without `resolve`, the field has the value of the same name. */
export type Field = TypeRef & {
  description?: string | undefined
  args?: Record<string, Argument>
  resolve?: Resolve
  subscribe?: Resolve
  extensions?: object
  /** Whether items of the list may be null. */
  hasGaps?: boolean
}
export type Fields = Record<string, Field>
type ObjectOptions = { description?: string | undefined; interfaces?: string[] }
type FieldBuilder = { field: (options: never) => unknown; arg: (options: never) => unknown }

/** A Pothos builder for types that are derived at run time: they are named by text, and Pothos infers nothing. */
export class Builder {
  private readonly pothos = new SchemaBuilder<{ Context: GraphContext; DefaultFieldNullability: false }>({
    plugins: [RelayPlugin],
    defaultFieldNullability: false,
    relay: { nodeQueryOptions: false, nodesQueryOptions: false },
  })
  private readonly defined = new Set<string>()

  constructor() {
    this.pothos.nodeInterfaceRef()
    this.pothos.pageInfoRef()
  }

  /** Runs `define` unless a type of this name is defined. */
  once(name: string, define: () => void): string {
    if (this.defined.has(name)) return name
    this.defined.add(name)
    define()
    return name
  }

  object(name: string, fields: Fields, options: ObjectOptions = {}): void {
    this.pothos.objectType(untyped(name), untyped({ ...options, fields: fieldsOf(fields) }))
  }

  input(name: string, fields: Record<string, Argument>): void {
    const define = (t: FieldBuilder) => mapped(fields, (field) => t.field(untyped(argumentOf(field))))
    this.pothos.inputType(untyped(name), untyped({ fields: define }))
  }

  union(name: string, description: string | undefined, types: string[], resolveType: (value: object) => string): void {
    this.pothos.unionType(untyped(name), untyped({ description, types, resolveType }))
  }

  enumeration(name: string, values: Record<string, { value: string }>): void {
    this.pothos.enumType(name, { values })
  }

  scalar(name: string, description: string): void {
    this.pothos.scalarType(untyped(name), untyped({ description, serialize: (value: unknown) => value }))
  }

  root(kind: 'queryType' | 'mutationType' | 'subscriptionType', fields: Fields): void {
    this.pothos[kind](untyped({ fields: fieldsOf(fields) }))
  }

  schema() {
    return this.pothos.toSchema()
  }
}

const untyped = (value: unknown) => value as never

const fieldsOf = (fields: Fields) => (t: FieldBuilder) =>
  mapped(fields, ({ args = {}, ...field }) => {
    const own = mapped(args, (each) => t.arg(untyped(argumentOf(each))))
    return t.field(untyped({ ...optionsOf(field), args: own }))
  })

function optionsOf(field: Omit<Field, 'args'>): object {
  const { type, isList, hasGaps = false, nullable = false, resolve, subscribe, ...rest } = field
  const nullability = isList ? { list: nullable, items: hasGaps } : nullable
  const functions = {
    ...(resolve && { resolve: inGraph(resolve) }),
    ...(subscribe && { subscribe: inGraph(subscribe) }),
  }
  return { ...rest, ...functions, type: isList ? [type] : type, nullable: nullability }
}

const inGraph =
  (run: Resolve) =>
  (row: never, args: never, { graph }: GraphContext, info: GraphQLResolveInfo): unknown =>
    run(row, args, graph, info)

const argumentOf = ({ type, isList, nullable = false, description }: Argument) => ({
  type: isList ? [type] : type,
  required: !nullable,
  description,
})

export function mapped<T, U>(record: Record<string, T>, change: (value: T, name: string) => U): Record<string, U> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, change(value, name)]))
}
