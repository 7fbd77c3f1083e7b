import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'

type Recipe = { local: () => string; shell: string }

const randomKey = (encoding: BufferEncoding = 'base64') => randomBytes(32).toString(encoding)

/**
 * How each secret is made: its value on a laptop, and the shell command whose output an operator stores. The keyring is
 * shown too, since rotating a key takes it and Cloudflare shows no secret again.
 */
const recipes: Record<string, Recipe> = {
  BASE_URL: { local: () => 'http://127.0.0.1:8787', shell: 'echo https://the.address.people.use' },
  AUTH_SECRET: { local: () => randomKey('base64url'), shell: 'openssl rand -base64 32' },
  DATA_KEYS: { local: () => `k1:${randomKey()}`, shell: 'echo k1:$(openssl rand -base64 32) | tee /dev/stderr' },
  INDEX_KEY: { local: () => randomKey(), shell: 'openssl rand -base64 32' },
}

/** Adds to `.dev.vars` the secrets it lacks; those that stand there stay, or data sealed with them would be lost. */
export function writeDevVars(file = '.dev.vars'): void {
  const present = existsSync(file) ? readFileSync(file, 'utf8') : ''
  const missing = Object.entries(recipes).filter(([name]) => !new RegExp(`^\\s*${name}\\s*=`, 'm').test(present))
  if (missing.length === 0) return
  const lines = missing.map(([name, { local }]) => `${name}=${local()}\n`)
  const separator = present === '' || present.endsWith('\n') ? '' : '\n'
  writeFileSync(file, present + separator + lines.join(''), { mode: 0o600 })
}

/** One command for each secret that a deployment needs. */
export const secretCommands = (names: string[], target: string): string[] =>
  names.map((name) => `${recipes[name]?.shell ?? 'cat'} | npx wrangler secret put ${name} --env ${target}`)
