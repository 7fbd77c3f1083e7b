import { randomUUID } from 'node:crypto'
import { type Caller, makeCaller, refused } from './caller.ts'
import { readLink } from './inbox.ts'
import type { Live } from './socket.ts'
import { ensure } from './story.ts'

export type Person = Caller & { id: string; handle: string; email: string; password: string }

/** Logs in as the person from another device, which has its own tokens. */
export async function logInElsewhere({ url, handle, password }: Person): Promise<Caller> {
  const phone = makeCaller(url, `the phone of ${handle}`)
  await phone.client.logIn({ identifier: handle, password })
  return phone
}

export async function endLogin({ client }: Person, phone: Caller, phoneLive: Live): Promise<void> {
  const { items } = await client.listSessions()
  ensure(items.length === 2, `two logins are listed, not ${items.length}`)
  const other = items.find(({ isCurrent }) => !isCurrent)
  await client.endSession({ sessionId: other!.id })
  await phoneLive.closed()
  await refused(401, phone.client.getMe())
}

export async function resetPassword(person: Person, live: Live): Promise<void> {
  const { url, name, handle, email } = person
  const { client } = makeCaller(url, name)
  await client.requestPasswordReset({ identifier: handle })
  const token = new URL(await readLink(url, email, 'reset')).searchParams.get('reset')
  const password = randomUUID()
  await client.resetPassword({ token: token!, password })
  await live.closed()
  await refused(401, person.client.getMe())
  await refused(401, client.logIn({ identifier: handle, password: person.password }))
  await client.logIn({ identifier: handle, password })
}
