import { execFileSync } from 'node:child_process'
import { fetchInTime } from '../../scripts/fetch-in-time.ts'
import { PASSWORD } from '../../scripts/seed/logins.ts'
import type { Person } from './writers.ts'

/** Seeds six accounts into the databases of the running server and logs in to each of them. */
export async function meet(origin: string, stateDir: string, handlesOf: () => string[]): Promise<Person[]> {
  execFileSync(process.execPath, ['scripts/seed.ts', '--people', '6', '--posts', '0', '--persist-to', stateDir])
  const people: Person[] = []
  for (const handle of handlesOf()) people.push(await logIn(origin, handle))
  return people
}

async function logIn(origin: string, handle: string): Promise<Person> {
  const answer = await fetchInTime(`${origin}/v1/auth/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ identifier: handle, password: PASSWORD }),
  })
  if (!answer.ok) throw new Error(`${handle} could not log in: ${answer.status} ${await answer.text()}`)
  const { accessToken, account } = (await answer.json()) as { accessToken: string; account: { id: string } }
  return { id: account.id, handle, token: accessToken }
}
