import { fetchInTime } from './fetch-in-time.ts'

const API = 'https://api.cloudflare.com/client/v4'

/** An entry of `wrangler d1 list`. */
export type DatabaseId = { name: string; uuid: string }

type Settings = { token: string; account: string; api: string }
type Outcome = { name: string; problem?: string; wasOff?: boolean }

/**
 * Turns on D1 read replication for the databases that do not have it, because wrangler cannot. Returns what to tell the
 * operator. Does not throw: without replicas, every read goes to the primary, which is slower but correct.
 */
export async function enableReplication(
  databases: DatabaseId[],
  env: NodeJS.ProcessEnv = process.env,
): Promise<string> {
  const { CLOUDFLARE_API_TOKEN: token, CLOUDFLARE_ACCOUNT_ID: account, CLOUDFLARE_API_BASE_URL: api = API } = env
  const guide = 'See "Read replication" in docs/runbook.md.'
  if (!token || !account) {
    return `Read replication was not checked, because CLOUDFLARE_API_TOKEN and CLOUDFLARE_ACCOUNT_ID are not both set. ${guide}\n`
  }
  const outcomes = await Promise.all(databases.map((database) => enable({ token, account, api }, database)))
  const refused = outcomes.filter(({ problem }) => problem)
  const changed = outcomes.filter(({ wasOff, problem }) => wasOff && !problem)
  if (refused.length === 0) {
    return `Read replication is on for all ${databases.length} databases, ${changed.length} of which had none before.\n`
  }
  const lines = refused.map(({ name, problem }) => `- ${name}: ${problem}\n`)
  return `Read replication cannot be turned on. ${guide} The token needs the permission D1 Edit.\n${lines.join('')}`
}

async function enable(settings: Settings, { name, uuid }: DatabaseId): Promise<Outcome> {
  try {
    if ((await modeOf(settings, uuid)) === 'auto') return { name }
    const mode = await modeOf(settings, uuid, { read_replication: { mode: 'auto' } })
    return mode === 'auto' ? { name, wasOff: true } : { name, problem: `the mode is ${mode} after the change` }
  } catch (error) {
    return { name, problem: error instanceof Error ? error.message : String(error) }
  }
}

/** The mode of read replication of a database, after `change` if there is one. */
async function modeOf({ token, account, api }: Settings, uuid: string, change?: object): Promise<string> {
  const response = await fetchInTime(`${api}/accounts/${account}/d1/database/${uuid}`, {
    method: change ? 'PUT' : 'GET',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: change ? JSON.stringify(change) : null,
  })
  const { result, errors = [] } = (await response.json().catch(() => ({}))) as Answer
  if (response.ok) return result?.read_replication?.mode ?? 'disabled'
  const reasons = errors.map(({ code, message }) => `${message} (${code})`)
  throw new Error(`Cloudflare responded with ${response.status} ${reasons.join(', ')}`.trim())
}

type Answer = {
  result?: { read_replication?: { mode?: string } } | null
  errors?: { code: number; message: string }[]
}
