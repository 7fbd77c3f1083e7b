import type { SystemCtx } from '../../platform/context.ts'
import { declaredScopes } from '../../platform/security/scopes.ts'
import { jwtAudience, OWN_CLIENT } from '../../platform/security/tokens.ts'
import { readAccounts, writeAccounts } from '../accounts/policy.ts'
import { exportData } from '../privacy/policy.ts'
import { oauthClients, oauthResources } from './oauth-tables.ts'

/** Our own applications are granted every scope. */
export const grantedScopes = () => [...declaredScopes().keys(), 'offline_access']

/** What a suspended person is granted: to confirm the login, and to export and delete the account. */
export const suspendedScopes = [exportData, readAccounts, writeAccounts, 'offline_access']

let known = false

export async function ensureClient(ctx: SystemCtx): Promise<void> {
  if (known) return
  const db = ctx.db.directory
  const audience = jwtAudience(ctx)
  const at = { createdAt: new Date(ctx.now()), updatedAt: new Date(ctx.now()) }
  const client = {
    id: OWN_CLIENT,
    clientId: OWN_CLIENT,
    name: 'SocialConnect',
    scopes: JSON.stringify(grantedScopes()),
    redirectUris: '[]',
    grantTypes: JSON.stringify(['authorization_code', 'refresh_token']),
    tokenEndpointAuthMethod: 'none',
    applicationType: 'native',
  }
  await db.batch([
    db
      .insert(oauthClients)
      .values({ ...client, ...at })
      .onConflictDoUpdate({ target: oauthClients.clientId, set: client }),
    db
      .insert(oauthResources)
      .values({ id: audience, identifier: audience, name: 'API', ...at })
      .onConflictDoNothing(),
  ])
  known = true
}
