import { randomUUID } from 'node:crypto'
import type { Sessions, Tokens } from '../../src/client/wire.ts'
import { type Caller, makeCaller } from './caller.ts'
import { readLink } from './inbox.ts'
import type { Live } from './socket.ts'
import { ensure } from './story.ts'

export type Person = Caller & { id: string; handle: string; email: string; password: string }

/** Logs in as the person from another device, which has its own tokens. */
export async function logInElsewhere({ url, handle, password }: Person): Promise<Caller> {
  const phone = makeCaller(url, `the phone of ${handle}`)
  const { body } = await phone.call<Tokens>('POST', '/auth/login', 200, { json: { identifier: handle, password } })
  return Object.assign(phone, { token: body.accessToken })
}

export async function endLogin(person: Person, phone: Caller, phoneLive: Live): Promise<void> {
  const { body } = await person.call<Sessions>('GET', '/me/sessions', 200)
  ensure(body.items.length === 2, `two logins are listed, not ${body.items.length}`)
  const other = body.items.find(({ isCurrent }) => !isCurrent)
  await person.call('DELETE', `/me/sessions/${other?.id}`, 204)
  await phoneLive.closed()
  await phone.call('GET', '/accounts/me', 401)
}

export async function resetPassword(person: Person, live: Live): Promise<void> {
  const { url, handle, email } = person
  const caller = makeCaller(url, person.name)
  await caller.call('POST', '/auth/password/forgot', 202, { json: { identifier: handle } })
  const token = new URL(await readLink(url, email, 'reset')).searchParams.get('reset')
  const password = randomUUID()
  await caller.call('POST', '/auth/password/reset', 200, { json: { token, password } })
  await live.closed()
  await person.call('GET', '/accounts/me', 401)
  await caller.call('POST', '/auth/login', 401, { json: { identifier: handle, password: person.password } })
  await caller.call('POST', '/auth/login', 200, { json: { identifier: handle, password } })
}
