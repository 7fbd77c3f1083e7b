import type { SystemCtx } from '../../platform/context.ts'
import { digest } from '../../platform/security/crypto.ts'
import { OAuthError } from './oauth-error.ts'
import { findApp, type KnownApp } from './queries.ts'

export type ClientProof = { clientId: string; secret: string | null }

/** Throws like `authenticateApp`, and `unauthorized_client` for an app that the staff disabled. */
export async function authenticateEnabled(ctx: SystemCtx, proof: ClientProof): Promise<KnownApp> {
  const app = await authenticateApp(ctx, proof)
  if (app.disabledAt !== null)
    throw new OAuthError('unauthorized_client', 'The staff of the server disabled the client')
  return app
}

/** Throws `invalid_client` for an unknown app, a wrong secret, and a secret of an app that has none. */
export async function authenticateApp(ctx: SystemCtx, { clientId, secret }: ClientProof): Promise<KnownApp> {
  const app = await findApp(ctx, clientId)
  const hash = secret === null ? null : await digest(secret)
  if (!app || app.secret !== hash)
    throw new OAuthError('invalid_client', 'The client is unknown, or its secret is wrong')
  return app
}
