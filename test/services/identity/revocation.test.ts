import { env } from 'cloudflare:workers'
import { expect, test, vi } from 'vitest'
import { markSuspended, type RegisteredUser, registeredUser, setRole } from '../../support/actors.ts'
import { claimsOf, loggedIn, refreshWith, socketWith, statusWith } from '../../support/auth.ts'
import { fetchWith } from '../../support/client.ts'
import { LEASE_MS, movableClock } from '../../support/clock.ts'
import { drained, publishEvent } from '../../support/outboxes.ts'
import { laggingDatabase } from '../../support/replica-lag.ts'

const clock = movableClock()

test('logout ends one session only (refresh token at once, access token and socket within 2 seconds)', async () => {
  const eve = await registeredUser('eve_out')
  const other = await loggedIn(eve)
  const { closed } = await socketWith(eve.token)
  const otherClosed = vi.fn()
  void (await socketWith(other.accessToken)).closed.then(otherClosed)
  expect((await eve.fetch('/v1/auth/logout', { method: 'POST' })).status).toBe(204)
  expect((await refreshWith(eve.refreshToken)).status).toBe(401)
  clock.advance(LEASE_MS)
  expect(await statusWith(eve.token)).toBe(401)
  expect(await closed).toMatchObject({ reason: 'logged out' })
  expect(await statusWith(other.accessToken)).toBe(200)
  expect(otherClosed).not.toHaveBeenCalled()
})

test('logging out everywhere ends every session, and the token of a login right afterwards stays valid', async () => {
  const gus = await registeredUser('gus_out')
  const other = await loggedIn(gus)
  const { closed } = await socketWith(other.accessToken)
  expect((await gus.fetch('/v1/auth/logout-all', { method: 'POST' })).status).toBe(204)
  const later = await loggedIn(gus)
  for (const token of [gus.refreshToken, other.refreshToken]) expect((await refreshWith(token)).status).toBe(401)
  clock.advance(LEASE_MS)
  for (const token of [gus.token, other.accessToken]) expect(await statusWith(token)).toBe(401)
  expect(await closed).toMatchObject({ reason: 'logged out' })
  await drained()
  expect(await statusWith(later.accessToken)).toBe(200)
})

test('the session-ended event alone revokes the access tokens of the session within 2 seconds', async () => {
  const finn = await registeredUser('finn_out')
  await publishEvent('identity.session-ended', { accountId: finn.id, sessionId: claimsOf(finn.token).sid })
  await drained(finn.id)
  clock.advance(LEASE_MS)
  expect(await statusWith(finn.token)).toBe(401)
})

type Revocation = (user: RegisteredUser, admin: RegisteredUser) => [method: string, path: string, by: RegisteredUser]
const revocations: Record<string, Revocation> = {
  'logging out': (user) => ['POST', '/v1/auth/logout', user],
  'logging out everywhere': (user) => ['POST', '/v1/auth/logout-all', user],
  'a change of role': (user, admin) => ['PUT', `/v1/accounts/${user.id}/role`, admin],
  'a suspension': (user, admin) => ['PUT', `/v1/accounts/${user.id}/suspension`, admin],
}

test.each(Object.entries(revocations))(
  '%s revokes access tokens if only the event is lost or only the direct call to the AccessGuard fails',
  async (what, revocation) => {
    const [admin, direct, byEvent] = await Promise.all([registeredUser(), registeredUser(), registeredUser()])
    await setRole(admin, 'admin')
    vi.spyOn(console, 'log').mockImplementation(() => {})
    const revoke = async (user: RegisteredUser, bindings: object) => {
      const [method, path, by] = revocation(user, admin)
      const headers = { authorization: `Bearer ${by.token}`, 'content-type': 'application/json' }
      const body = method === 'PUT' ? '{"role":"moderator"}' : null
      return fetchWith({ ...env, ...bindings }, path, { method, headers, body })
    }
    const fail = () => Promise.reject(new Error('down'))

    expect((await revoke(direct, { EVENTS: { sendBatch: fail } })).ok).toBe(true)
    clock.advance(LEASE_MS)
    expect(await statusWith(direct.token)).toBe(what === 'a suspension' ? 403 : 401)

    type Lease = ReturnType<typeof env.GUARD.getByName>['lease']
    const getByName = (name: string) => ({
      lease: (...args: Parameters<Lease>) => env.GUARD.getByName(name).lease(...args),
      endSession: fail,
      revokeTokensBefore: fail,
    })
    const refused = await revoke(byEvent, { GUARD: { getByName } })
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '5'])
    await drained(byEvent.id)
    clock.advance(LEASE_MS)
    expect(await statusWith(byEvent.token)).toBe(what === 'a suspension' ? 403 : 401)
    vi.restoreAllMocks()
  },
)

test('while neither feed nor AccessGuard answers, ended sessions and suspensions are read from the primary databases', async () => {
  const [ended, active, suspended] = [
    await registeredUser('gone_dir'),
    await registeredUser('stays_dir'),
    await registeredUser('held_dir'),
  ]
  await ended.fetch('/v1/auth/logout', { method: 'POST' })
  await markSuspended(suspended.id)
  vi.spyOn(console, 'log').mockImplementation(() => {})
  const lease = () => Promise.reject(new Error('down'))
  const bindings = {
    ...env,
    DIRECTORY: laggingDatabase(env.DIRECTORY, env.INDEX),
    GUARD: { getByName: () => ({ lease }) },
    REVOCATIONS: { getByName: () => ({ changesSince: lease }) },
  }
  clock.advance(LEASE_MS)
  const status = async ({ token }: RegisteredUser) => {
    const headers = { authorization: `Bearer ${token}` }
    return (await fetchWith(bindings, '/v1/accounts/me', { headers })).status
  }
  expect([await status(ended), await status(active), await status(suspended)]).toEqual([401, 200, 403])
  vi.restoreAllMocks()
})
