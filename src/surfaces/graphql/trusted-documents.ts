import { usePersistedOperations } from '@graphql-yoga/plugin-persisted-operations'
import { GraphQLError } from 'graphql'
import type { Plugin } from 'graphql-yoga'
import { Failure } from '../../platform/failures.ts'
import { sha256 } from '../../platform/security/crypto.ts'
import { documents } from './documents.ts'
import type { GraphContext } from './graph.ts'

let byHash: Map<string, string> | null = null

/** Answers requests that name a trusted document by its SHA-256, in hexadecimal digits. */
export const trustedDocuments = usePersistedOperations<GraphContext>({
  allowArbitraryOperations: true,
  getPersistedOperation: async (hash) => {
    byHash ??= await hashed() // not its promise, which would belong to one request
    return byHash.get(hash) ?? null
  },
  customErrors: {
    notFound: () => refusal('No document has this hash; send its text'),
    keyNotFound: () => refusal('Send a query, or the hash of a trusted document'),
  },
})

const refusal = (message: string) => new GraphQLError(message, { extensions: { http: { status: 400 } } })

async function hashed(): Promise<Map<string, string>> {
  const entries = documents.map(async (text) => [(await sha256(text)).toHex(), text] as const)
  return new Map(await Promise.all(entries))
}

/** Where only trusted documents are allowed, refuses the text of any other. */
export const onlyTrusted: Plugin<GraphContext, GraphContext> = {
  onParams({ params, context }) {
    const { GRAPHQL_DOCUMENTS } = context.graph.ctx.config
    if (GRAPHQL_DOCUMENTS === 'any' || !params.query || documents.includes(params.query)) return
    throw new Failure('bad_request', 'Only trusted documents are answered here')
  },
}
