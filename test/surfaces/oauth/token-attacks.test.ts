import { SignJWT } from 'jose'
import { expect, test } from 'vitest'
import type { AppWithSecret } from '../../../src/services/apps/views.ts'
import { registeredUser, setRole } from '../../support/actors.ts'
import { claimsOf, readMe, refreshWith, statusWith } from '../../support/auth.ts'
import { anonymousClient, BASE_URL } from '../../support/client.ts'
import { movableClock } from '../../support/clock.ts'
import {
  codeFor,
  connect,
  errorOf,
  exchange,
  ISSUER,
  post,
  proof,
  refreshAs,
  type TokenResponse,
  twoApps,
} from '../../support/oauth.ts'

const clock = movableClock()
const { ada, app, other } = await twoApps()

test('a refresh token works for its own client only, and our own endpoint does not accept it', async () => {
  const { refresh_token } = await connect(ada, app)
  expect(await errorOf(await refreshAs(other, refresh_token))).toEqual([400, 'invalid_grant'])
  expect((await refreshWith(refresh_token)).status).toBe(401)
  expect(await errorOf(await refreshAs(app, ada.refreshToken))).toEqual([400, 'invalid_grant'])
  expect((await refreshAs(app, refresh_token)).status).toBe(200)
})

test('a refresh token that is used again after its grace period ends the whole family', async () => {
  const first = await connect(ada, app)
  const second = await (await refreshAs(app, first.refresh_token)).json<TokenResponse>()
  const again = await (await refreshAs(app, first.refresh_token)).json<TokenResponse>()
  expect(again.refresh_token).toBe(second.refresh_token)
  clock.advance(30_000)
  expect(await errorOf(await refreshAs(app, first.refresh_token))).toEqual([400, 'invalid_grant'])
  expect(await errorOf(await refreshAs(app, second.refresh_token))).toEqual([400, 'invalid_grant'])
  expect(await statusWith(second.access_token)).toBe(401)
})

test('a refresh can drop scopes but add none, and dropped ones come back', async () => {
  const tokens = await connect(ada, app, 'posts:read accounts:read offline_access')
  for (const scope of ['posts:read posts:write', 'moderation', 'posts:read openid'])
    expect(await errorOf(await refreshAs(app, tokens.refresh_token, { scope }))).toEqual([400, 'invalid_scope'])
  const less = await (await refreshAs(app, tokens.refresh_token, { scope: 'posts:read' })).json<TokenResponse>()
  expect(less.scope).toBe('posts:read')
  expect(await errorOf(await readMe(less.access_token))).toEqual([403, 'insufficient_scope'])
  const all = await (await refreshAs(app, less.refresh_token)).json<TokenResponse>()
  expect(all.scope).toBe('posts:read accounts:read offline_access')
})

test('the scope parameter of an exchange adds nothing, and the token of an app always has the role of a user', async () => {
  const admin = await registeredUser()
  await setRole(admin, 'admin')
  const code = await codeFor(admin, app, { scope: 'accounts:read' })
  const tokens = await (await exchange(app, code, { scope: 'moderation posts:write' })).json<TokenResponse>()
  expect([tokens.scope, claimsOf(tokens.access_token).role]).toEqual(['accounts:read', 'user'])
  expect([tokens.refresh_token, tokens.id_token]).toEqual([undefined, undefined])
})

test('introspection answers only the confidential client that owns the token', async () => {
  const own = await connect(ada, other, 'posts:read offline_access')
  const foreign = await connect(ada, app)
  const inspect = async (by: AppWithSecret, token: string) => {
    const response = await post('introspect', { ...proof(by), token })
    return response.status === 200 ? (await response.json<{ active: boolean }>()).active : response.status
  }
  expect(await inspect(other, own.access_token)).toBe(true)
  expect(await inspect(other, own.refresh_token)).toBe(true)
  for (const token of [
    foreign.access_token,
    foreign.refresh_token,
    ada.token,
    ada.refreshToken,
    'x',
    `${own.access_token}x`,
  ])
    expect(await inspect(other, token)).toBe(false)
  expect(await inspect(app, foreign.access_token)).toBe(401)
  expect(await inspect({ ...other, secret: 'wrong' }, own.access_token)).toBe(401)
  await post('revoke', { ...proof(other), token: own.access_token })
  expect(await inspect(other, own.access_token)).toBe(false)
  expect(await inspect(other, own.refresh_token)).toBe(false)
})

test('a client cannot revoke the token of another client or of a login', async () => {
  const { access_token, refresh_token } = await connect(ada, app, 'accounts:read offline_access')
  for (const token of [access_token, refresh_token, ada.token])
    expect(await errorOf(await post('revoke', { ...proof(other), token }))).toEqual([400, 'invalid_grant'])
  expect([await statusWith(access_token), await statusWith(ada.token)]).toEqual([200, 200])
  expect((await post('revoke', { ...proof(other), token: 'unknown' })).status).toBe(200)
})

test('userinfo needs the scope openid, and knows nothing of the scheme DPoP', async () => {
  const { access_token } = await connect(ada, app)
  const by = (authorization: string) => anonymousClient().fetch('/auth/oauth2/userinfo', { headers: { authorization } })
  expect(await errorOf(await by(`Bearer ${access_token}`))).toEqual([403, 'insufficient_scope'])
  expect((await by(`DPoP ${access_token}`)).status).toBe(401)
  expect((await anonymousClient().fetch('/auth/oauth2/userinfo')).status).toBe(401)
  const { access_token: openid } = await connect(ada, app, 'openid')
  expect(await (await by(`Bearer ${openid}`)).json()).toEqual({ sub: ada.id })
})

test('an id token is no access token, and tricks with its algorithm fail', async () => {
  const { id_token, access_token } = await connect(ada, app, 'openid accounts:read')
  expect(await statusWith(id_token!)).toBe(401)
  const [header, payload, signature] = access_token.split('.')
  const none = btoa(JSON.stringify({ alg: 'none', typ: 'at+jwt' })).replace(/=+$/, '')
  const { keys } = await (await anonymousClient().fetch('/v1/auth/jwks')).json<{ keys: { x: string; kid: string }[] }>()
  const key = Uint8Array.fromBase64(keys[0]!.x, { alphabet: 'base64url' })
  const confused = await new SignJWT({ ...claimsOf(access_token) })
    .setProtectedHeader({ alg: 'HS256', typ: 'at+jwt', kid: keys[0]!.kid })
    .setIssuer(ISSUER)
    .setAudience(`${BASE_URL}/v1`)
    .setExpirationTime('5m')
    .sign(key)
  const forged = [`${none}.${payload}.`, `${none}.${payload}.${signature}`, `${header}.${payload}.`, confused]
  for (const token of forged) expect(await statusWith(token)).toBe(401)
})
