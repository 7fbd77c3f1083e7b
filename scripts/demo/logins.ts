import { randomUUID } from 'node:crypto'
import { type Caller, makeCaller } from './caller.ts'
import { readLink } from './inbox.ts'
import type { Live } from './socket.ts'

export type Person = Caller & { id: string; handle: string; email: string; password: string }

export async function resetPassword(person: Person, live: Live): Promise<void> {
  const { url, handle, email } = person
  const caller = makeCaller(url, person.name)
  await caller.call('POST', '/auth/password/forgot', 202, { json: { identifier: handle } })
  const token = new URL(await readLink(url, email, 'reset')).searchParams.get('reset')
  const password = randomUUID()
  await caller.call('POST', '/auth/password/reset', 204, { json: { token, password } })
  await live.closed
  await person.call('GET', '/accounts/me', 401)
  await caller.call('POST', '/auth/login', 401, { json: { identifier: handle, password: person.password } })
  await caller.call('POST', '/auth/login', 200, { json: { identifier: handle, password } })
}
