import { type Schemas, typesSource } from './wire-types.ts'

/** The part of the AsyncAPI document that the client is generated from. */
export type Events = { components: { schemas: Schemas } }

/** The client chooses its channels when it connects. */
const unused = ['Join', 'Joined', 'Leave', 'Left']

/** The TypeScript source of the frames of the socket. Schemas in `known` have types already. */
export function framesSource({ components: { schemas } }: Events, known: Schemas): string {
  const own = Object.fromEntries(Object.entries(schemas).filter(([name]) => !known[name] && !unused.includes(name)))
  const types = typesSource(own)
  const names = new Set(types.match(/\b[A-Z]\w+/g)?.filter((name) => known[name]))
  const frames = Object.keys(own).filter((name) => own[name]?.properties?.channel)
  return [
    `import type { ${[...names].sort((a, b) => a.localeCompare(b)).join(', ')} } from './wire.ts'`,
    types,
    `/** What the socket reports. Frames contain ids only: read the records through the API. */
export type Frame = ${frames.join(' | ')}`,
    "export type Channel = Frame['channel']",
  ].join('\n\n')
}
