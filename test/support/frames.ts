import { dereference, type Schema as JsonSchema, validate } from '@cfworker/json-schema'
import { socketDocument } from '../../src/app.ts'
import type { Schema } from '../sweeps/operations.ts'
import { BASE_URL } from './client.ts'
import { closed, mapped } from './contract.ts'

type Ref = { $ref: string }
type Message = { name: string; title: string; summary: string; payload: Schema; examples?: { payload: unknown }[] }

export const sockets = (await socketDocument(`${BASE_URL}/asyncapi.json`)) as {
  info: { description: string }
  servers: { socket: { host: string; protocol: string } }
  channels: { socket: { address: string; messages: Record<string, Ref>; 'x-close-codes': Record<string, string> } }
  operations: Record<string, { action: string; messages: Ref[] }>
  components: { schemas: Record<string, Schema>; messages: Record<string, Message> }
}

const definitions = { $defs: mapped(sockets.components.schemas, closed) as Record<string, JsonSchema> }
const lookup = dereference(definitions)
const ofEvent = new Map(
  Object.entries(sockets.components.messages).map(([name, { title }]) => [title, definitions.$defs[name]!]),
)

/** What differs between a JSON frame and the AsyncAPI document. */
export function frameFlaws(frame: { event: string }): string[] {
  const schema = ofEvent.get(frame.event)
  if (!schema) return [`the event ${frame.event} is not declared`]
  return validate(frame, schema, '2020-12', lookup, false).errors.map(
    ({ instanceLocation, error }) => `${instanceLocation}: ${error}`,
  )
}

/** Throws if the document does not describe the frame. */
export function requireDescribed(frame: { event: string }): void {
  const flaws = frameFlaws(frame)
  if (flaws.length > 0)
    throw new Error([`A frame is not as the AsyncAPI document says: ${JSON.stringify(frame)}`, ...flaws].join('\n'))
}
