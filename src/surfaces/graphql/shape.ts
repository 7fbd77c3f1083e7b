import { getOpenApiMetadata, getRefId } from '@asteasolutions/zod-to-openapi'
import { z } from '@hono/zod-openapi'
import { Id } from '../../platform/data/ids.ts'

type Scalar = 'ID' | 'String' | 'Int' | 'Float' | 'Boolean' | 'DateTime' | 'StringMap'
type Kind =
  | { kind: 'scalar'; scalar: Scalar }
  | { kind: 'enum'; name: string | null; values: readonly string[] }
  | { kind: 'object'; name: string | null; schema: z.ZodObject }
  | { kind: 'union'; name: string | null; members: z.ZodObject[] }
  | { kind: 'list'; item: Shape }

/** What GraphQL needs to know of a zod schema. `optional` means that an input may omit the value. */
export type Shape = Kind & { nullable: boolean; optional: boolean; description: string | undefined }

const scalar = (name: Scalar): Kind => ({ kind: 'scalar', scalar: name })

/** Reads a schema without its wrappers. Throws for schemas that GraphQL cannot express, such as a file. */
export function shapeOf(schema: unknown): Shape {
  const { description, type, format } = schema instanceof z.ZodType ? getOpenApiMetadata(schema) : {}
  const inner = innerOf(schema)
  const isInteger = schema instanceof z.ZodPipe && type === 'integer'
  const kind = () => (format === 'int64' ? scalar('Float') : isInteger ? scalar('Int') : kindOf(schema)) // Int has 32 bits
  const shape = inner && !isInteger ? shapeOf(inner) : { ...kind(), ...plain }
  return {
    ...shape,
    nullable: shape.nullable || schema instanceof z.ZodNullable || (inner !== null && schema instanceof z.ZodUnion),
    optional: shape.optional || schema instanceof z.ZodOptional || schema instanceof z.ZodDefault,
    description: description ?? shape.description,
  }
}

const plain = { nullable: false, optional: false, description: undefined }

function innerOf(schema: unknown): unknown {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodNullable) return schema.unwrap()
  if (schema instanceof z.ZodDefault) return schema.def.innerType
  if (schema instanceof z.ZodPipe) return schema.def.in
  return schema instanceof z.ZodUnion ? orNull(schema.options) : null
}

/** For a union of one option and null, that option; otherwise null. */
function orNull(options: readonly unknown[]): unknown {
  const [option, ...others] = options.filter((each) => !(each instanceof z.ZodNull))
  return others.length === 0 && options.length === 2 ? option : null
}

function kindOf(schema: unknown): Kind {
  if (schema instanceof z.ZodObject) return { kind: 'object', name: getRefId(schema) ?? null, schema }
  if (schema instanceof z.ZodDiscriminatedUnion) {
    const members = schema.options.filter((option) => option instanceof z.ZodObject)
    return { kind: 'union', name: getRefId(schema) ?? null, members }
  }
  if (schema instanceof z.ZodArray) return { kind: 'list', item: shapeOf(schema.element) }
  if (schema instanceof z.ZodEnum)
    return { kind: 'enum', name: getRefId(schema) ?? null, values: schema.options.map(String) }
  if (schema instanceof z.ZodRecord) return scalar('StringMap')
  if (schema instanceof z.ZodBoolean) return scalar('Boolean')
  if (schema instanceof z.ZodISODateTime) return scalar('DateTime')
  if (schema instanceof z.ZodNumber) return scalar(schema.format?.includes('int') ? 'Int' : 'Float')
  if (schema instanceof z.ZodString || schema instanceof z.ZodURL || schema instanceof z.ZodEmail) return textOf(schema)
  if (schema instanceof z.ZodLiteral) return scalar('String')
  throw new Error(`GraphQL cannot express the schema ${schema instanceof z.ZodType ? schema.def.type : schema}`)
}

const idPattern = getOpenApiMetadata(Id).pattern

function textOf(schema: z.ZodType): Kind {
  return scalar(getOpenApiMetadata(schema).pattern === idPattern ? 'ID' : 'String')
}
