import type { SystemCtx } from '../../platform/context.ts'
import { OAuthError } from './oauth-error.ts'
import { findApp, type KnownApp } from './queries.ts'
import { digest } from './secrets.ts'

export type ClientProof = { clientId: string; secret: string | null }

/** Throws `invalid_client` for an unknown app, a wrong secret, and a secret of an app that has none. */
export async function authenticateApp(ctx: SystemCtx, { clientId, secret }: ClientProof): Promise<KnownApp> {
  const app = await findApp(ctx, clientId)
  const hash = secret === null ? null : await digest(secret)
  if (!app || app.secret !== hash)
    throw new OAuthError('invalid_client', 'The client is unknown, or its secret is wrong')
  return app
}
