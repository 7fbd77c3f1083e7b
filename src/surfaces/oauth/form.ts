import type { Context } from 'hono'
import type { AppEnv } from '../../platform/http/app-env.ts'
import { hasInvalidText } from '../../platform/http/form-rules.ts'
import type { ClientProof } from '../../services/apps/clients.ts'
import { OAuthError } from '../../services/apps/oauth-error.ts'

const FORM = /^application\/x-www-form-urlencoded\b/i

/** The parameters of a request, and how its client proves who it is (RFC 6749, 2.3.1). */
export type Form = { read: (name: string) => string | undefined; require: (name: string) => string; proof: ClientProof }

/** Throws `invalid_request` for a body that is no form, or repeats a parameter (RFC 6749, 3.2). */
export async function formOf(c: Context<AppEnv>): Promise<Form> {
  const type = c.req.header('content-type') ?? ''
  const bytes = new Uint8Array(await c.req.arrayBuffer())
  if (!FORM.test(type)) throw new OAuthError('invalid_request', 'Send application/x-www-form-urlencoded')
  if (hasInvalidText(bytes, type)) throw new OAuthError('invalid_request', 'The form must be UTF-8')
  const given = new URLSearchParams(new TextDecoder().decode(bytes))
  if ([...given.keys()].some((name) => given.getAll(name).length > 1)) {
    throw new OAuthError('invalid_request', 'A parameter is repeated')
  }
  // A parameter without a value counts as omitted.
  const read = (name: string) => given.get(name) || undefined
  const required = (name: string) => {
    const value = read(name)
    if (value === undefined) throw new OAuthError('invalid_request', `${name} is required`)
    return value
  }
  return { read, require: required, proof: proofOf(c.req.header('authorization'), read) }
}

function proofOf(authorization: string | undefined, read: Form['read']): ClientProof {
  const [clientId, secret] = [read('client_id'), read('client_secret')]
  if (authorization === undefined) {
    if (clientId === undefined) throw new OAuthError('invalid_client', 'client_id is required')
    return { clientId, secret: secret ?? null }
  }
  const basic = basicOf(authorization)
  if (secret !== undefined) throw new OAuthError('invalid_request', 'Send the secret only once')
  if (clientId !== undefined && clientId !== basic.clientId) {
    throw new OAuthError('invalid_request', 'client_id differs from the Authorization header')
  }
  return basic
}

function basicOf(authorization: string): { clientId: string; secret: string } {
  const [, encoded] = /^Basic ([A-Za-z\d+/=]+)$/i.exec(authorization) ?? []
  try {
    const [, id = '', secret = ''] = /^([^:]*):(.*)$/.exec(atob(encoded ?? '')) ?? []
    if (id && secret) return { clientId: decoded(id), secret: decoded(secret) }
  } catch {
    // Neither base64 nor form-encoded: refused below.
  }
  throw new OAuthError('invalid_client', 'The Authorization header must be: Basic, with client id and secret')
}

const decoded = (text: string) => decodeURIComponent(text.replaceAll('+', ' '))
