import { execute, parse } from 'graphql'
import { logins } from '../../src/eager.ts'
import type { Ctx } from '../../src/platform/context.ts'
import { withDatabases } from '../../src/platform/create-context.ts'
import { forgetStatus } from '../../src/platform/security/account-status.ts'
import type { RequestCtx } from '../../src/platform/security/admit.ts'
import { declaredScopes } from '../../src/platform/security/scopes.ts'
import { newGraph } from '../../src/surfaces/graphql/graph.ts'
import { schema } from '../sweeps/graphql-documents.ts'
import { randomAddress } from './client.ts'

/** Executes a query in a context, as a login that has just begun and has every scope. */
export async function executeGraph(
  { viewer: given, ...ctx }: Ctx,
  query: string,
  variableValues: Record<string, unknown>,
) {
  const address = randomAddress()
  const viewer = given && { ...given, scopes: new Set(declaredScopes().keys()), issuedAt: Date.now() + 1 }
  if (viewer) forgetStatus(ctx, viewer.id)
  const config = { ...ctx.config, REQUESTS_PER_MINUTE: 1_000_000 }
  const request: RequestCtx = {
    ...ctx,
    config,
    viewer,
    clientIp: { network: address, address },
    readAccountStatus: logins.readAccountStatus,
    readLoginTime: logins.readLoginTime,
  }
  const graph = newGraph(request, withDatabases(request, { inWaves: true }), () => {})
  return execute({ schema, document: parse(query), contextValue: { graph }, variableValues })
}
