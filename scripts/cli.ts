/** Where the local system keeps its data by default. */
export const STATE_DIR = '.wrangler/state'

/** The deployed system of `env`, or without it the local one in `stateDir`. */
export type System = { env?: string; stateDir: string }

/** The options that choose a system. */
export const systemOptions = {
  env: { type: 'string' },
  'persist-to': { type: 'string', default: STATE_DIR },
} as const

export function systemOf(values: { env?: string; 'persist-to': string }): System {
  const { env, 'persist-to': stateDir } = values
  if (env !== undefined && env !== 'staging' && env !== 'production') {
    throw new Error(`Unknown environment ${env}: use --env staging, --env production, or no --env for the local one.`)
  }
  return { env, stateDir }
}

/** The options that choose this system again, for commands that are printed. */
export const systemFlag = ({ env, stateDir }: System): string => (env ? ` --env ${env}` : persistFlag({ stateDir }))

export const persistFlag = ({ stateDir }: Pick<System, 'stateDir'>): string =>
  stateDir === STATE_DIR ? '' : ` --persist-to ${stateDir}`

/** The option that says where the local system runs. */
export const urlOption = { url: { type: 'string', default: 'http://127.0.0.1:8787' } } as const

/**
 * Wakes the sweepers, so that they process what a script wrote, and returns when they will have done so. A cron wakes
 * those of a deployed system every minute; locally, nothing else does.
 */
export async function wakeSweepers({ env }: System, url: string): Promise<string> {
  if (env) return 'within two minutes'
  const answer = await fetch(`${url}/cdn-cgi/local/scheduled`).catch(() => undefined)
  return answer?.ok
    ? `within seconds at ${url}`
    : `within seconds of the server’s next start or write, because nothing answers at ${url}`
}

/** The command line of wrangler, for Node to run. */
export const wranglerCommand = (...args: string[]): string[] => [
  '--no-warnings',
  'node_modules/wrangler/wrangler-dist/cli.js',
  ...args,
]

export const wranglerEnv = { WRANGLER_SEND_METRICS: 'false', WRANGLER_HIDE_BANNER: 'true', ...process.env }

/** Runs a script. If it fails, its message is printed as one line and the exit code is 1. */
export async function main(script: () => void | Promise<void>): Promise<void> {
  try {
    await script()
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : error}\n`)
    process.exitCode = 1
  }
}
