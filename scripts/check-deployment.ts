import { existsSync, readFileSync } from 'node:fs'
import { readConfig } from '../src/platform/env.ts'

/** Ten times the default: generous, but still a limit. */
const HIGHEST_QUOTA = 1_000

export type Target = 'staging' | 'production'

/** The part of wrangler's resolved configuration that is checked. */
export type Settings = { vars: Record<string, unknown>; d1_databases: { binding: string }[] }

/**
 * Why `settings` must not be deployed as `target`, one sentence each, by the rules that the Worker applies when it starts.
 * Cloudflare never shows a secret, so valid values stand in for them.
 */
export function deployProblems({ vars, d1_databases: databases }: Settings, target: Target): string[] {
  if (vars.ENVIRONMENT !== target) return [`vars.ENVIRONMENT must be "${target}"`]
  const key = 'A'.repeat(44)
  const secrets = { BASE_URL: 'https://social.org', AUTH_SECRET: key, DATA_KEYS: `k1:${key}`, INDEX_KEY: key }
  const bindings = Object.fromEntries(databases.map(({ binding }) => [binding, true]))
  const { problems } = readConfig({ ...bindings, ...secrets, ...vars })
  // The Worker has no such rule, because the benchmark runs it as production without a limit.
  const isUnlimited = Number(vars.REQUESTS_PER_MINUTE ?? 0) > HIGHEST_QUOTA
  const quota = isUnlimited ? [`REQUESTS_PER_MINUTE must be at most ${HIGHEST_QUOTA}`] : []
  return [...problems, ...quota].map((problem) => `vars.${problem}`)
}

type Session = { type: string; command_line_args: string[] }

/**
 * The command line of the wrangler that runs `command` and this build step. wrangler does not pass its options on, but
 * appends them to the file WRANGLER_OUTPUT_FILE_PATH, which .env.staging and .env.production set.
 */
export function readCall(command: string, file = process.env.WRANGLER_OUTPUT_FILE_PATH): string {
  const lines = file && existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : []
  const sessions = lines.map((line): Session => JSON.parse(line)).filter(({ type }) => type === 'wrangler-session')
  const call = sessions.at(-1)?.command_line_args.join(' ') ?? ''
  if (call.includes(command)) return call
  throw new Error(
    'The options of wrangler are unknown: deploy with --env staging or --env production, without --env-file.',
  )
}

/** Accepts only the plain flag: a wrong guess would migrate in a dry run, or deploy without migrating. */
export function isDryRun(call: string): boolean {
  if (!/dry-?run/i.test(call)) return false
  if (/ --dry-run( -|$)/.test(call)) return true
  throw new Error('Write --dry-run last or before another option, and without a value.')
}
