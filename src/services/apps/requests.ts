import type { Ctx } from '../../platform/context.ts'
import { Failure } from '../../platform/failures.ts'
import { jwtAudience, jwtIssuer } from '../../platform/security/tokens.ts'
import { isOffered } from './bundles.ts'
import { invalidAppRequest } from './failures.ts'
import { findApp, type KnownApp } from './queries.ts'
import { isLoopback, isRegistered } from './redirects.ts'

const CHALLENGE = /^[\w-]{43}$/
const PROMPTS = ['none', 'login', 'consent', 'select_account']
/** For `prompt=login`: the person must have entered the password within this time. */
const JUST_NOW_SECONDS = 60

/** A valid authorization request (RFC 6749, 4.1.1), with PKCE (RFC 7636). */
export type AuthorizationRequest = {
  app: KnownApp
  redirectUri: string
  scopes: string[]
  state: string | undefined
  nonce: string | null
  challenge: string
  prompts: string[]
  maxAge: number | undefined
}

/** `location` is where the app learns about the error; null if the redirect is not the app's. */
export class RequestRefused extends Failure {
  readonly location: string | null

  constructor(detail: string, location: string | null = null) {
    super(invalidAppRequest, detail)
    this.location = location
  }
}

/** Parses the query of an authorization request. Throws `RequestRefused`. */
export async function readRequest(ctx: Ctx, query: string): Promise<AuthorizationRequest> {
  const given = new URLSearchParams(query)
  const { app, redirectUri } = await clientOf(ctx, given)
  const states = given.getAll('state')
  const state = states.length === 1 ? states[0] || undefined : undefined
  const refuse = (error: string, detail: string) =>
    new RequestRefused(detail, returnTo(ctx, { redirectUri, state }, { error, error_description: detail }))
  const repeated = [...given.keys()].find((name) => given.getAll(name).length > 1)
  if (repeated) throw refuse('invalid_request', `The parameter ${printable(repeated)} is repeated`)
  if (app.disabledAt !== null) throw refuse('unauthorized_client', `${printable(app.name)} was disabled by the staff`)
  const flaw = flawOf(ctx, (name) => given.get(name) || undefined)
  if (flaw) throw refuse(...flaw)
  const maxAge = given.get('max_age') || undefined
  const prompts = wordsOf(given.get('prompt'))
  return {
    app,
    redirectUri,
    state,
    scopes: wordsOf(given.get('scope')),
    nonce: given.get('nonce') || null,
    challenge: given.get('code_challenge') ?? '',
    prompts,
    maxAge: prompts.includes('login') ? JUST_NOW_SECONDS : maxAge === undefined ? undefined : Number(maxAge),
  }
}

/** The app and its redirect. Until both are known to belong together, nothing is sent to the redirect. */
async function clientOf(ctx: Ctx, given: URLSearchParams) {
  const [clientId = '', ...otherClients] = given.getAll('client_id')
  const [redirectUri = '', ...otherRedirects] = given.getAll('redirect_uri')
  const app = otherClients.length === 0 ? await findApp(ctx, clientId) : null
  if (!app) throw new RequestRefused('The app is not registered here')
  if (otherRedirects.length > 0 || !isRegistered(app.redirectUris, redirectUri)) {
    throw new RequestRefused(`${app.name} has not registered the address to which it wants you to return`)
  }
  return { app, redirectUri }
}

type Flaw = [error: string, detail: string]
type Read = (name: string) => string | undefined

function flawOf(ctx: Ctx, read: Read): Flaw | null {
  if (read('request')) return ['request_not_supported', 'Request objects are not supported']
  if (read('request_uri')) return ['request_uri_not_supported', 'Request objects are not supported']
  if (read('response_type') !== 'code') return ['unsupported_response_type', 'response_type must be code']
  if ((read('response_mode') ?? 'query') !== 'query') return ['invalid_request', 'response_mode must be query']
  if (read('code_challenge_method') !== 'S256' || !CHALLENGE.test(read('code_challenge') ?? '')) {
    return ['invalid_request', 'PKCE is required, with code_challenge_method S256']
  }
  const resource = read('resource')
  if (resource && resource !== jwtAudience(ctx)) return ['invalid_target', `resource must be ${jwtAudience(ctx)}`]
  const scopes = wordsOf(read('scope'))
  const unknown = scopes.find((scope) => !isOffered(scope))
  if (unknown) return ['invalid_scope', `The scope ${printable(unknown)} is not offered to apps`]
  if (scopes.length === 0) return ['invalid_scope', 'scope is required']
  return flawOfPrompt(wordsOf(read('prompt')), read('max_age'))
}

function flawOfPrompt(prompts: string[], maxAge: string | undefined): Flaw | null {
  if (prompts.some((prompt) => !PROMPTS.includes(prompt))) return ['invalid_request', 'prompt is unknown']
  if (prompts.includes('none') && prompts.length > 1) return ['invalid_request', 'prompt=none must be alone']
  if (maxAge && !/^\d{1,9}$/.test(maxAge)) return ['invalid_request', 'max_age must be a number of seconds']
  return null
}

const wordsOf = (text: string | null | undefined) => [...new Set((text ?? '').split(' ').filter(Boolean))]
/** Error descriptions are ASCII without quotes (RFC 6749, 4.1.2.1). */
const printable = (text: string) => text.replace(/[^\w:.-]/g, '?').slice(0, 60)

/** The redirect of a request with parameters, and the issuer, so that apps notice a mix-up (RFC 9207). */
export function returnTo(
  ctx: Ctx,
  { redirectUri, state }: Pick<AuthorizationRequest, 'redirectUri' | 'state'>,
  answer: Record<string, string>,
): string {
  const parameters = new URLSearchParams({ ...answer, ...(state !== undefined && { state }), iss: jwtIssuer(ctx) })
  return `${redirectUri}${redirectUri.includes('?') ? '&' : '?'}${parameters}`
}

/** Whether the same app may be the one that asks: a program on the device can pretend to be another (RFC 8252, 8.6). */
export function isIdentified({ app, redirectUri }: AuthorizationRequest): boolean {
  return app.secret !== null || !isLoopback(redirectUri)
}
