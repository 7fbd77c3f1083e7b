import { env } from 'cloudflare:workers'
import { Secret, TOTP } from 'otpauth'
import { createContext } from '../../src/platform/create-context.ts'
import type { Id } from '../../src/platform/data/ids.ts'
import type { PasskeyRequest } from '../../src/platform/http/second-factor.ts'
import { newChallenge, signedBy } from '../../src/services/identity/factors/challenges.ts'
import { codeHash } from '../../src/services/identity/factors/recovery-codes.ts'
import type { Tokens } from '../../src/services/identity/views.ts'
import { accountsOn, type RegisteredUser } from './actors.ts'
import { claimsOf, logIn } from './auth.ts'
import { type Authenticator, softwareAuthenticator } from './authenticator.ts'
import { anonymousClient, BASE_URL, postJson } from './client.ts'
import { insertUser } from './logins.ts'

export const STEP_MS = 30_000

/** The code that an authenticator app shows at a time. */
export const codeAt = (secret: string, time = Date.now()): string =>
  new TOTP({ secret: Secret.fromBase32(secret) }).generate({ timestamp: time })

export const post = (user: RegisteredUser, path: string, json?: object): Promise<Response> =>
  user.fetch(`/v1${path}`, { method: 'POST', json })

async function okJson<T>(response: Response): Promise<T> {
  if (!response.ok) throw new Error(`${response.status} ${await response.text()}`)
  return response.json()
}

/** Adds an authenticator app, with the code of the previous step, so that the current one is unused. */
export async function addTotp(user: RegisteredUser): Promise<{ secret: string; recoveryCodes: string[] }> {
  const { secret } = await okJson<{ secret: string }>(await post(user, '/me/factors/totp'))
  const code = codeAt(secret, Date.now() - STEP_MS)
  const confirmed = await okJson<{ recoveryCodes: string[] }>(await post(user, '/me/factors/totp/confirm', { code }))
  return { secret, recoveryCodes: confirmed.recoveryCodes }
}

type NewPasskey = { challenge: string; options: Parameters<Authenticator['create']>[0] }

export const startPasskey = async (user: RegisteredUser): Promise<NewPasskey> =>
  okJson(await post(user, '/me/passkey-challenge'))

export async function addPasskey(user: RegisteredUser, name = 'My phone') {
  const device = await softwareAuthenticator(BASE_URL)
  const { challenge, options } = await startPasskey(user)
  const passkey = await device.create(options)
  const added = await okJson<{ id: string; recoveryCodes: string[] | null }>(
    await post(user, '/me/passkeys', { challenge, name, passkey }),
  )
  return { device, ...added }
}

type Waiting = { challenge: string; methods: string[]; passkey: PasskeyRequest }

/** Logs in with the password of an account with a second factor. */
export async function firstStep(user: RegisteredUser, deviceToken?: string, password?: string): Promise<Waiting> {
  const response = await logIn(user.handle, password, anonymousClient(), deviceToken)
  const { code, secondFactor } = await response.json<{ code: string; secondFactor: Waiting }>()
  if (code !== 'second_factor_required') throw new Error(`${response.status} ${code}`)
  return secondFactor
}

export const secondStep = (challenge: string, proof: object): Promise<Response> =>
  postJson('/v1/auth/login/second-factor', { challenge, ...proof })

export const passkeyChallenge = async (): Promise<{ challenge: string; options: PasskeyRequest }> =>
  okJson(await postJson('/v1/auth/passkey/challenge', undefined as never))

export async function passkeyLogin(device: Authenticator, flaws: Parameters<Authenticator['get']>[1] = {}) {
  const { challenge, options } = await passkeyChallenge()
  return postJson('/v1/auth/passkey', { challenge, passkey: await device.get(options, flaws) })
}

export const tokensOf = (response: Response): Promise<Tokens> => okJson(response)

/** The body of `addPasskey`, for the login of a token. Without one, of nobody. */
export async function newPasskey(token?: string | null): Promise<object> {
  // API keys are no JWTs, and belong to no login.
  const { sub, sid } = token?.includes('.') ? claimsOf(token) : { sub: '1', sid: '1' }
  const ctx = createContext({ env, waitUntil: () => {} })
  const challenge = await newChallenge(ctx, 'new passkey', `${sub}:${sid}`)
  const device = await softwareAuthenticator(BASE_URL)
  const options = { challenge: await signedBy(challenge), rp: { id: new URL(BASE_URL).hostname }, user: { id: 'MQ' } }
  return { challenge, name: 'My phone', passkey: await device.create(options) }
}

/** Inserts an authenticator app that nobody can use, for an account with a user. */
export async function insertTotp(accountId: Id): Promise<void> {
  await env.DIRECTORY.batch([
    await insertUser(accountId),
    env.DIRECTORY.prepare(
      `insert into totp_factors (account_id, sealed_secret, created_at, confirmed_at) values (?, '', 1, 1)`,
    ).bind(Number(accountId)),
  ])
}

/** Inserts a passkey for an account with a user; nobody can use it without `device`. Returns its id. */
export async function insertPasskey(accountId: Id, device?: Authenticator): Promise<string> {
  const id = crypto.randomUUID()
  await env.DIRECTORY.prepare(
    `insert into passkeys (id, account_id, credential_id, public_key, sign_count, sealed_name, created_at) values (?, ?, ?, ?, 0, '', 1)`,
  )
    .bind(id, Number(accountId), device?.id ?? id, device?.publicKey ?? '')
    .run()
  return id
}

/** The body of `finishLogin`, for a new account. */
export async function waitingLogin(): Promise<object> {
  const [accountId] = await accountsOn(0)
  const ctx = createContext({ env, waitUntil: () => {} })
  const recoveryCode = 'q2w8e-7rt5y'
  await env.DIRECTORY.batch([
    await insertUser(accountId),
    env.DIRECTORY.prepare('insert into recovery_codes (account_id, code, created_at) values (?, ?, 1)').bind(
      Number(accountId),
      await codeHash(ctx, accountId, recoveryCode),
    ),
  ])
  return { challenge: await newChallenge(ctx, 'second factor', `${accountId}:`), recoveryCode }
}

/** The body of `logInWithPasskey`, for a new account. */
export async function waitingPasskey(): Promise<object> {
  const [accountId] = await accountsOn(0)
  const device = await softwareAuthenticator(BASE_URL)
  await env.DIRECTORY.batch([await insertUser(accountId)])
  await insertPasskey(accountId, device)
  const ctx = createContext({ env, waitUntil: () => {} })
  const challenge = await newChallenge(ctx, 'passkey login', '')
  const rpId = new URL(BASE_URL).hostname
  return { challenge, passkey: await device.get({ challenge: await signedBy(challenge), rpId }) }
}
