import type { z } from '@hono/zod-openapi'
import type { Noun } from '../../platform/graphql/noun.ts'
import { type Argument, type Builder, type Fields, mapped } from './builder.ts'
import { type Shape, shapeOf } from './shape.ts'

/**
 * Defines the GraphQL types of schemas, each once. A view of a noun becomes the type of the noun. A type without a name
 * is named after its `place`: the type and the field that have it.
 */
export class Types {
  private readonly nouns = new Map<z.ZodObject, string>()
  private readonly enumerations = new Map<string, string>()

  constructor(
    private readonly builder: Builder,
    nouns: readonly Noun[],
  ) {
    for (const { name, view, views = [] } of nouns) for (const each of [view, ...views]) this.nouns.set(each, name)
  }

  /** The type of a value that clients get. */
  output(schema: unknown, place: string): Argument {
    return reference(shapeOf(schema), (shape) => this.outputName(shape, place))
  }

  /** The type of a value that clients send. */
  input(schema: unknown, place: string): Argument {
    return reference(shapeOf(schema), (shape) => this.inputName(shape, place))
  }

  /** The fields of a view. */
  fieldsOf({ shape }: z.ZodObject, owner: string): Fields {
    return mapped(shape, (field, name) => this.output(field, owner + capitalized(name)))
  }

  private outputName(shape: Shape, place: string): string {
    if (shape.kind === 'scalar') return shape.scalar
    if (shape.kind === 'enum') return this.enumeration(shape.values, shape.name ?? place)
    if (shape.kind === 'union') return this.union(shape, place)
    if (shape.kind === 'list') throw new Error(`lists of lists have no type: ${place}`)
    const { schema, description } = shape
    const noun = this.nouns.get(schema)
    if (noun) return noun
    const name = shape.name ?? place
    return this.builder.once(name, () => this.builder.object(name, this.fieldsOf(schema, name), { description }))
  }

  private inputName(shape: Shape, place: string): string {
    if (shape.kind === 'scalar') return shape.scalar
    if (shape.kind === 'enum') return this.enumeration(shape.values, shape.name ?? place)
    if (shape.kind !== 'object') throw new Error(`a ${shape.kind} cannot be an input: ${place}`)
    const name = `${shape.name ?? place}Input`
    const fields = () => mapped(shape.schema.shape, (field, key) => this.input(field, place + capitalized(key)))
    return this.builder.once(name, () => this.builder.input(name, fields()))
  }

  private enumeration(values: readonly string[], place: string): string {
    const key = values.join()
    const known = this.enumerations.get(key)
    if (known) return known
    const entries = values.map((value) => [value.toUpperCase().replaceAll(/\W/g, '_'), { value }] as const)
    this.enumerations.set(key, place)
    return this.builder.once(place, () => this.builder.enumeration(place, Object.fromEntries(entries)))
  }

  private union({ name, members, description }: Extract<Shape, { kind: 'union' }>, place: string): string {
    const own = name ?? place
    return this.builder.once(own, () => {
      const types = members.map((member) => ({ member, type: this.outputName(shapeOf(member), own) }))
      const typeOf = (value: object) => types.find(({ member }) => member.safeParse(value).success)?.type ?? ''
      this.builder.union(
        own,
        description,
        types.map(({ type }) => type),
        typeOf,
      )
    })
  }
}

function reference(shape: Shape, nameOf: (shape: Shape) => string): Argument {
  const { description, nullable, optional } = shape
  const isList = shape.kind === 'list'
  return { description, nullable: nullable || optional, isList, type: nameOf(isList ? shape.item : shape) }
}

export const capitalized = (name: string) => `${name[0]?.toUpperCase()}${name.slice(1)}`
