import { calculateJwkThumbprint, exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose'

/** Who logs in at the provider. */
export type Person = {
  sub: string
  email?: string
  email_verified?: boolean
  name?: string
  preferred_username?: string
}
type Grant = { person: Person; nonce: string; challenge: string; redirectUri: string; isUsed: boolean }
type Endpoint = 'discovery' | 'keys' | 'token'
type Sign = (claims: JWTPayload) => Promise<string>

const base64url = (bytes: ArrayBuffer | Uint8Array<ArrayBuffer>) =>
  btoa(String.fromCharCode(...new Uint8Array(bytes)))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '')
const digest = async (text: string) =>
  new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text)))

/** The `at_hash` of an access token for ES256. */
const hashOf = async (accessToken: string) => base64url((await digest(accessToken)).slice(0, 16))

export async function newKey() {
  const { publicKey, privateKey } = await generateKeyPair('ES256', { extractable: true })
  const jwk = await exportJWK(publicKey)
  return { jwk: { ...jwk, alg: 'ES256', use: 'sig', kid: await calculateJwkThumbprint(jwk) }, privateKey }
}

/** A small identity provider (OpenID Connect) that keeps the rules, unless a test replaces a part of it. */
export class OidcProvider {
  readonly issuer: string
  readonly client = { id: 'socialconnect', secret: 'a secret: with ünusual/characters' }
  /** How often each endpoint was asked. */
  readonly asked: Record<Endpoint, number> = { discovery: 0, keys: 0, token: 0 }
  /** Replace or, with undefined, remove fields of the discovery document, the ID token and the token response. */
  metadata: Record<string, unknown> = {}
  claims: Record<string, unknown> = {}
  answer: Record<string, unknown> = {}
  /** Replaces the response of an endpoint. */
  faults: Partial<Record<Endpoint, () => Response | Promise<Response>>> = {}
  person: Person = { sub: 'nobody' }
  sign: Sign
  #keys: Awaited<ReturnType<typeof newKey>>[]
  readonly #grants = new Map<string, Grant>()

  static async at(issuer: string): Promise<OidcProvider> {
    return new OidcProvider(issuer, await newKey())
  }

  private constructor(issuer: string, key: Awaited<ReturnType<typeof newKey>>) {
    this.issuer = issuer
    this.#keys = [key]
    this.sign = (claims) => this.signWith(this.#keys[0]!, claims)
  }

  /** How an operator configures this provider. */
  get entry() {
    const { issuer, client } = this
    const name = 'Local ID'
    return {
      id: `p${issuer.replace(/\D/g, '').slice(-10)}`,
      name,
      issuer,
      clientId: client.id,
      clientSecret: client.secret,
    }
  }

  signWith({ jwk, privateKey }: Awaited<ReturnType<typeof newKey>>, claims: JWTPayload): Promise<string> {
    return new SignJWT(claims).setProtectedHeader({ alg: 'ES256', kid: jwk.kid }).sign(privateKey)
  }

  async rotateKeys(): Promise<void> {
    this.#keys = [await newKey()]
  }

  /** The person logs in and agrees. Returns the parameters with which the browser is sent back. */
  agree(url: string, person = this.person): { code: string; state: string; iss?: string } {
    const asked = new URL(url).searchParams
    const code = crypto.randomUUID()
    const text = (name: string) => asked.get(name) ?? ''
    this.#grants.set(code, {
      person,
      nonce: text('nonce'),
      challenge: text('code_challenge'),
      redirectUri: text('redirect_uri'),
      isUsed: false,
    })
    return { code, state: text('state'), iss: this.issuer }
  }

  async respond(request: Request): Promise<Response> {
    const { pathname } = new URL(request.url)
    if (pathname === '/authorize') return this.#redirect(request.url)
    const endpoint = (
      { '/.well-known/openid-configuration': 'discovery', '/keys': 'keys', '/token': 'token' } as const
    )[pathname]
    if (!endpoint) return new Response(null, { status: 404 })
    this.asked[endpoint] += 1
    const fault = this.faults[endpoint]
    if (fault) return fault()
    if (endpoint === 'discovery') return Response.json(this.#discovery())
    if (endpoint === 'keys') return Response.json({ keys: this.#keys.map(({ jwk }) => jwk) })
    return this.#token(request)
  }

  #redirect(url: string): Response {
    const { code, state, iss = '' } = this.agree(url)
    const back = new URL(new URL(url).searchParams.get('redirect_uri') ?? '')
    for (const [name, value] of Object.entries({ code, state, iss })) back.searchParams.set(name, value)
    return new Response(null, { status: 302, headers: { location: back.href } })
  }

  #discovery() {
    return {
      issuer: this.issuer,
      authorization_endpoint: `${this.issuer}/authorize`,
      token_endpoint: `${this.issuer}/token`,
      jwks_uri: `${this.issuer}/keys`,
      response_types_supported: ['code'],
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: ['ES256'],
      authorization_response_iss_parameter_supported: true,
      ...this.metadata,
    }
  }

  async #token(request: Request): Promise<Response> {
    const form = new URLSearchParams(new TextDecoder().decode(await request.arrayBuffer()))
    const refuse = (error: string, status = 400) => Response.json({ error }, { status })
    const encoded = (text: string) => encodeURIComponent(text).replace(/%20/g, '+')
    const { id, secret } = this.client
    const given = atob((request.headers.get('authorization') ?? '').replace('Basic ', ''))
    if (
      decodeURIComponent(given.replaceAll('+', '%20')) !== `${id}:${secret}` &&
      given !== `${encoded(id)}:${encoded(secret)}`
    )
      return refuse('invalid_client', 401)
    const grant = this.#grants.get(form.get('code') ?? '')
    if (!grant || grant.isUsed || grant.redirectUri !== form.get('redirect_uri')) return refuse('invalid_grant')
    if (base64url(await digest(form.get('code_verifier') ?? '')) !== grant.challenge) return refuse('invalid_grant')
    grant.isUsed = true
    const now = Math.floor(Date.now() / 1_000)
    const accessToken = crypto.randomUUID()
    const claims = {
      iss: this.issuer,
      aud: id,
      iat: now,
      exp: now + 300,
      auth_time: now,
      nonce: grant.nonce,
      at_hash: await hashOf(accessToken),
      ...grant.person,
      ...this.claims,
    }
    const idToken = await this.sign(JSON.parse(JSON.stringify(claims)))
    return Response.json({ access_token: accessToken, token_type: 'Bearer', id_token: idToken, ...this.answer })
  }
}
