import { spawnSync } from 'node:child_process'

const WRANGLER = ['--no-warnings', 'node_modules/wrangler/wrangler-dist/cli.js']

/** Where the local system keeps its data, unless told otherwise. */
export const STATE_DIR = '.wrangler/state'

/** Which system: the deployed one of `env`, or, without it, the local one in `stateDir`. */
export type System = { env?: string; stateDir: string }

/** The options by which a script is told which system it is for. */
export const systemOptions = {
  env: { type: 'string' },
  'persist-to': { type: 'string', default: STATE_DIR },
} as const

export function systemOf(values: { env?: string; 'persist-to': string }): System {
  const { env, 'persist-to': stateDir } = values
  if (env !== undefined && env !== 'staging' && env !== 'production') {
    throw new Error(
      `There is no environment ${env}: say --env staging or --env production, or nothing for the local one.`,
    )
  }
  return { env, stateDir }
}

/** Which system it was, to be repeated in a command that is printed; nothing for the usual local one. */
export const systemFlag = ({ env, stateDir }: System): string => (env ? ` --env ${env}` : persistFlag({ stateDir }))

export const persistFlag = ({ stateDir }: Pick<System, 'stateDir'>): string =>
  stateDir === STATE_DIR ? '' : ` --persist-to ${stateDir}`

export type Row = Record<string, string | number | null>

/** Runs SQL statements on a database, named by its binding, through wrangler; answers the rows of each statement. */
export function execute({ env, stateDir }: System, binding: string, sql: string): Row[][] {
  const place = env ? ['--remote', '--env', env] : ['--local', '--persist-to', stateDir]
  const command = ['d1', 'execute', binding, ...place, '--yes', '--json', '--command', sql]
  const { stdout, status } = spawnSync(process.execPath, [...WRANGLER, ...command], {
    encoding: 'utf8',
    stdio: ['inherit', 'pipe', 'inherit'],
    maxBuffer: 2 ** 28,
    env: { WRANGLER_SEND_METRICS: 'false', WRANGLER_HIDE_BANNER: 'true', ...process.env },
  })
  const answer: unknown = JSON.parse(stdout.slice(Math.max(0, stdout.search(/^[[{]/m))) || '{}')
  if (status === 0 && Array.isArray(answer)) return answer.map(({ results }) => results)
  const { error } = answer as { error?: { text?: string } }
  throw new Error(`wrangler d1 execute ${binding} failed: ${error?.text ?? stdout}`)
}

/** The option by which a script is told where the local system runs. */
export const urlOption = { url: { type: 'string', default: 'http://127.0.0.1:8787' } } as const

/**
 * Wakes the sweepers, which find what a script has left in the databases, and tells when they will have: where the system is
 * deployed a cron wakes them every minute, here nothing else does.
 */
export async function wakeSweepers({ env }: System, url: string): Promise<string> {
  if (env) return 'within two minutes'
  const answer = await fetch(`${url}/cdn-cgi/local/scheduled`).catch(() => undefined)
  return answer?.ok
    ? `within seconds at ${url}`
    : `within seconds of the server’s next start or write: nothing answers at ${url}`
}

/** The bindings of the databases that hold what the system knows to be true: the directory and the shards. */
export async function sources({ env }: System): Promise<string[]> {
  const { unstable_readConfig } = await import('wrangler')
  const databases: { binding: string }[] = unstable_readConfig({ config: 'wrangler.toml', env }).d1_databases
  return databases.map(({ binding }) => binding).filter((binding) => /^(DIRECTORY|SHARD_\d+)$/.test(binding))
}

/** Runs a script: what it throws is one line on the terminal, and its exit code 1. */
export async function main(script: () => void | Promise<void>): Promise<void> {
  try {
    await script()
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : error}\n`)
    process.exitCode = 1
  }
}
