import { HOME_SCREEN } from '../../src/surfaces/graphql/documents.ts'
import { fetchInTime } from '../fetch-in-time.ts'
import type { Person } from './logins.ts'
import { ensure } from './story.ts'

type Cost = { trips: number; rowsRead: number }
type Answer = { data: { me: { handle: string } }; errors?: object[]; extensions?: { cost?: Cost } }

/** Reads the first screen with seven requests and with one query. Prints what both cost, which servers tell in development. */
export async function readScreen(person: Person): Promise<void> {
  const { client, id: accountId } = person
  const costs: Cost[] = []
  const requests = [
    () => client.getMe(),
    () => client.getHomeFeed(),
    () => client.listNotifications(),
    () => client.countUnreadNotifications(),
    () => client.getAccountFeed({ accountId, limit: 5 }),
    () => client.listFollowers({ accountId, limit: 5 }),
    () => client.listMyLikes({ limit: 10 }),
  ]
  for (const request of requests) {
    await request()
    costs.push(JSON.parse(person.headers.get('x-cost') ?? '{"trips":0,"rowsRead":0}'))
  }
  const { data, errors, extensions } = await query(person)
  ensure(!errors && data.me.handle === person.handle, 'the query is answered without an error')
  if (!extensions?.cost) return
  const dearest = Math.max(...costs.map(({ trips }) => trips))
  const sum = (key: keyof Cost) => costs.reduce((total, cost) => total + cost[key], 0)
  const { trips, rowsRead } = extensions.cost
  ensure(trips <= dearest, `the query takes at most ${dearest} D1 trips, not ${trips}`)
  const rest = `REST: 7 requests, ${sum('trips')} D1 trips (the dearest ${dearest}), ${sum('rowsRead')} rows`
  process.stdout.write(`      ${rest}; GraphQL: 1 request, ${trips} D1 trips, ${rowsRead} rows\n`)
}

async function query({ url, authorization }: Person): Promise<Answer> {
  const headers = { 'content-type': 'application/json', authorization }
  const body = JSON.stringify({ query: HOME_SCREEN })
  const response = await fetchInTime(`${url}/graphql`, { method: 'POST', headers, body })
  const answer: Answer = await response.json()
  return answer
}
