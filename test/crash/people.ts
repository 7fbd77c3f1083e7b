import { execFileSync } from 'node:child_process'
import { fetchInTime } from '../../scripts/fetch-in-time.ts'
import { PASSWORD } from '../../scripts/seed/logins.ts'
import type { Person } from './writers.ts'

/** An address that is unlikely to have reached a limit. */
export const randomAddress = () => `10.${[0, 0, 0].map(() => Math.floor(Math.random() * 256)).join('.')}`

/** Seeds accounts into the databases of the running server, makes the last one an admin, and logs in to all of them. */
export async function meet(origin: string, stateDir: string, handlesOf: () => string[]): Promise<Person[]> {
  execFileSync(process.execPath, ['scripts/seed.ts', '--people', '12', '--posts', '0', '--persist-to', stateDir])
  const people: Person[] = []
  const handles = handlesOf()
  const grant = ['scripts/admin.ts', 'grant', handles.at(-1)!, 'admin', '--persist-to', stateDir, '--url', origin]
  execFileSync(process.execPath, grant)
  for (const handle of handles) people.push(await logIn(origin, handle))
  return people
}

async function logIn(origin: string, handle: string): Promise<Person> {
  const answer = await fetchInTime(`${origin}/v1/auth/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'cf-connecting-ip': randomAddress() },
    body: JSON.stringify({ identifier: handle, password: PASSWORD }),
  })
  if (!answer.ok) throw new Error(`${handle} could not log in: ${answer.status} ${await answer.text()}`)
  const { accessToken, account } = (await answer.json()) as { accessToken: string; account: { id: string } }
  return { id: account.id, handle, token: accessToken }
}
