import { env } from 'cloudflare:workers'
import { expect, test } from 'vitest'
import { createContext } from '../../../src/platform/create-context.ts'
import { deleteLapsed } from '../../../src/services/identity/jobs.ts'
import type { Tokens } from '../../../src/services/identity/views.ts'
import { registeredUser } from '../../support/actors.ts'
import { directoryNumber, refreshWith } from '../../support/auth.ts'
import { fetchWith } from '../../support/client.ts'
import { movableClock } from '../../support/clock.ts'

const GRACE_MS = 30_000
const clock = movableClock()

const refreshed = async (refreshToken: string): Promise<Tokens> => (await refreshWith(refreshToken)).json()
const runJob = () => deleteLapsed(createContext({ env, waitUntil: () => {} }))

test.each(['before', 'after'])(
  'a rotation interrupted %s its new token was stored is repeated, even hours later',
  async (when) => {
    const eva = await registeredUser(`eva_${when}`)
    const lost = await refreshed(eva.refreshToken)
    await env.DIRECTORY.prepare('update refresh_tokens set rotation_replay_response = null where user_id = ?')
      .bind(Number(eva.id))
      .run()
    if (when === 'before')
      await env.DIRECTORY.prepare('delete from refresh_tokens where user_id = ? and revoked is null')
        .bind(Number(eva.id))
        .run()
    clock.advance(2 * 3_600_000)
    await runJob()
    const race = await Promise.all(Array.from({ length: 10 }, () => refreshWith(eva.refreshToken)))
    expect(new Set(race.map(({ status }) => status))).toEqual(new Set([200]))
    const tokens = await Promise.all(race.map((response) => response.json<Tokens>()))
    expect(new Set(tokens.map(({ refreshToken }) => refreshToken)).size).toBe(1)
    const usable = 'select count(*) n from refresh_tokens where user_id = ? and revoked is null'
    expect(await directoryNumber(usable, Number(eva.id))).toBe(1)

    clock.advance(GRACE_MS)
    expect((await refreshWith(eva.refreshToken)).status).toBe(401)
    for (const { refreshToken } of [lost, tokens[0]!]) expect((await refreshWith(refreshToken)).status).toBe(401)
  },
)

/** Holds the query that inserts the new token until `resume`. */
function withHeldInsert(bindings: Env) {
  const [reached, resumed] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  const held = (statement: D1PreparedStatement): D1PreparedStatement =>
    new Proxy(statement, {
      get:
        (target, name) =>
        (...values: never[]) => {
          const call = () => Reflect.get(target, name).apply(target, values)
          if (name === 'bind') return held(call())
          reached.resolve()
          return resumed.promise.then(call)
        },
    })
  const withSession = (start: string) => {
    const session = bindings.DIRECTORY.withSession(start)
    return {
      prepare: (query: string) => {
        const statement = session.prepare(query)
        return /insert into "refresh_tokens"/i.test(query) ? held(statement) : statement
      },
      batch: (statements: D1PreparedStatement[]) => session.batch(statements),
      getBookmark: () => session.getBookmark(),
    }
  }
  const DIRECTORY = Object.assign(Object.create(bindings.DIRECTORY), { withSession })
  return { bindings: { ...bindings, DIRECTORY }, reached: reached.promise, resume: resumed.resolve }
}

test('a rotation that continues after another request has undone it issues no second token', async () => {
  const ewe = await registeredUser('ewe_slow')
  const { bindings, reached, resume } = withHeldInsert(env)
  const headers = { 'content-type': 'application/json' }
  const body = JSON.stringify({ refreshToken: ewe.refreshToken })
  const slow = fetchWith(bindings, '/v1/auth/refresh', { method: 'POST', headers, body })
  await reached
  clock.advance(7_000)
  const { refreshToken } = await refreshed(ewe.refreshToken)
  resume()
  expect((await slow).status).toBe(503)
  const usable = 'select count(*) n from refresh_tokens where user_id = ? and revoked is null'
  expect(await directoryNumber(usable, Number(ewe.id))).toBe(1)
  expect((await refreshed(ewe.refreshToken)).refreshToken).toBe(refreshToken)
  expect((await refreshWith(refreshToken)).status).toBe(200)
})
