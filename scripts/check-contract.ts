import { copyFileSync, readFileSync } from 'node:fs'
import { buildSchema, findBreakingChanges } from 'graphql'
import { main } from './command.ts'
import { breakingChanges, type Contract } from './contract-changes.ts'

const FOLDER = 'test/contract'
const documents = ['openapi', 'asyncapi']
const files = ['openapi.json', 'asyncapi.json', 'schema.graphql']

const text = (file: string) => readFileSync(`${FOLDER}/${file}`, 'utf8')
const read = (name: string): Contract => JSON.parse(text(`${name}.json`))

function graphqlChanges(): string[] {
  const [released, current] = [buildSchema(text('released-schema.graphql')), buildSchema(text('schema.graphql'))]
  return findBreakingChanges(released, current).map(({ description }) => `GraphQL: ${description}`)
}

const usage = {
  command: 'node scripts/check-contract.ts',
  purpose: `Compares the API documents in ${FOLDER} with the released ones, and fails if a change breaks clients: see
docs/versioning.md.`,
  options: { release: { type: 'boolean', help: 'makes the current documents the released ones, if nothing breaks' } },
  examples: ['', '--release'],
} as const

if (import.meta.main) {
  await main(usage, ({ values }) => {
    const inDocuments = documents.flatMap((name) =>
      breakingChanges({ released: read(`released-${name}`), current: read(name) }, Date.now()),
    )
    const changes = [...inDocuments, ...graphqlChanges()]
    if (changes.length > 0) {
      process.stderr.write(changes.map((change) => `${change}\n`).join(''))
      throw new Error(`${changes.length} changes break clients of the released API: see docs/versioning.md`)
    }
    if (!values.release) return
    for (const file of files) copyFileSync(`${FOLDER}/${file}`, `${FOLDER}/released-${file}`)
  })
}
