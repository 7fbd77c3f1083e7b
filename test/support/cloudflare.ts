import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { DatabaseSync } from 'node:sqlite'
import { text } from 'node:stream/consumers'

type Database = { name: string; sqlite: DatabaseSync; replication: string }
type Answer = { status: number; result: unknown; code?: number }

const notFound: Answer = { status: 404, result: null }
const forbidden: Answer = { status: 403, result: null }
const codes: Record<number, number> = { 403: 10_000, 404: 7_404 }
/** The codes by which wrangler recognizes that something does not exist yet, by path. */
const absent: [RegExp, number][] = [
  [/\/workers\/services\/[^/]+$/, 10_090],
  [/\/workflows\/[^/]+$/, 10_200],
]

/** Mocks the parts of Cloudflare's D1 API that a deployment calls, with SQLite. Other paths return 404. */
export async function mockCloudflare() {
  const databases = new Map<string, Database>()
  const asked: string[] = []
  const server = createServer(async (request, response) => {
    asked.push(`${request.method} ${request.url!.split('?')[0]}`)
    const { status, result, code = codes[status] } = answer(databases, request, await text(request))
    const errors = status === 200 ? [] : [{ code, message: status === 403 ? 'Authentication error' : 'not found' }]
    response.writeHead(status, { 'content-type': 'application/json' })
    response.end(JSON.stringify({ success: status === 200, result, errors, messages: [] }))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    databases,
    asked,
    create: (name: string) => create(databases, { name }),
    env: {
      CLOUDFLARE_API_BASE_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      CLOUDFLARE_API_TOKEN: 'token',
      CLOUDFLARE_ACCOUNT_ID: 'account',
    },
    close: () => server.close(),
  }
}

function answer(databases: Map<string, Database>, { method, url }: IncomingMessage, body: string): Answer {
  const [path, name, action] = /^\/accounts\/account\/d1\/database(?:\/([^/?]+))?(?:\/(\w+))?/.exec(url!) ?? []
  if (!path) return { ...notFound, code: absent.find(([pattern]) => pattern.test(url!.split('?')[0]!))?.[1] }
  if (!name && method === 'GET') return { status: 200, result: [...databases.values()].map(described) }
  if (!name) return { status: 200, result: create(databases, JSON.parse(body) as { name: string }) }
  const database = databases.get(name)
  if (!database) return notFound
  if (method === 'PUT') return replicate(database, JSON.parse(body))
  if (action !== 'query') return { status: 200, result: described(database) }
  const { sql } = JSON.parse(body) as { sql: string }
  return { status: 200, result: [{ success: true, results: run(database.sqlite, sql), meta: {} }] }
}

const described = ({ name, replication }: Database) => ({ uuid: name, name, read_replication: { mode: replication } })

function replicate(database: Database, change: { read_replication: { mode: string } }): Answer {
  if (database.replication === 'refused') return forbidden
  database.replication = change.read_replication.mode
  return { status: 200, result: described(database) }
}

function create(databases: Map<string, Database>, { name }: { name: string }) {
  const database = { name, sqlite: new DatabaseSync(':memory:'), replication: 'disabled' }
  databases.set(name, database)
  return described(database)
}

/** Runs the SQL, and returns the rows of a SELECT or PRAGMA, or no rows for any other statement. */
function run(sqlite: DatabaseSync, sql: string): unknown[] {
  if (/^\s*(select|pragma)/i.test(sql)) return sqlite.prepare(sql).all()
  sqlite.exec(sql)
  return []
}
