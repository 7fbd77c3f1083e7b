import { join } from 'node:path'
import { UsageError } from './command.ts'
import { fetchInTime } from './fetch-in-time.ts'

/** Where the local system keeps its data by default. */
export const STATE_DIR = '.wrangler/state'

/** The port on 127.0.0.1 to which `npm start` lets webhooks be sent. */
export const WEBHOOK_PORT = 8798

/** The system deployed to the environment `env`, or without `env` the local system in `stateDir`. */
export type System = { env?: string; stateDir: string }

/** The command-line options that choose a system. */
export const systemOptions = {
  env: { type: 'string', value: 'NAME', help: 'staging or production; without it, the local system' },
  'persist-to': { type: 'string', value: 'DIR', default: STATE_DIR, help: 'where the local system keeps its data' },
} as const

export function systemOf(values: { env?: string; 'persist-to': string }): System {
  const { env, 'persist-to': stateDir } = values
  if (env !== undefined && env !== 'staging' && env !== 'production') {
    throw new UsageError(
      `Unknown environment ${env}: use --env staging, --env production, or none for the local system.`,
    )
  }
  return { env, stateDir }
}

/** The option that chooses this system, for printed commands. Starts with a space, or is empty for the default. */
export const systemFlag = ({ env, stateDir }: System): string => (env ? ` --env ${env}` : persistFlag({ stateDir }))

export const persistFlag = ({ stateDir }: Pick<System, 'stateDir'>): string =>
  stateDir === STATE_DIR ? '' : ` --persist-to ${stateDir}`

/** The command-line option for the address of the local system. */
export const urlOption = {
  url: { type: 'string', value: 'URL', default: 'http://127.0.0.1:8787', help: 'address of the local server' },
} as const

/**
 * Wakes the sweepers of a local system, so that they process what a script has written. The cron trigger of a deployed
 * system does so every minute. Returns a phrase that says when the sweepers will have processed it.
 */
export async function wakeSweepers({ env }: System, url: string): Promise<string> {
  if (env) return 'within two minutes'
  const answer = await fetchInTime(`${url}/cdn-cgi/local/scheduled`).catch(() => undefined)
  return answer?.ok
    ? `within seconds at ${url}`
    : `within seconds of the server’s next start or write, because nothing answers at ${url}`
}

/** The folder in which wrangler lists running servers. Each state has its own, so that other projects do not matter. */
export const registryOf = (stateDir: string): string => join(stateDir, 'registry')

/** The arguments with which Node runs wrangler. */
export const wranglerCommand = (...args: string[]): string[] => [
  '--no-warnings',
  'node_modules/wrangler/wrangler-dist/cli.js',
  ...args,
]

export const wranglerEnv = { WRANGLER_SEND_METRICS: 'false', WRANGLER_HIDE_BANNER: 'true', ...process.env }
