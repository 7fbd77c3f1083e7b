import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'

/** How to make a local secret, and a shell command whose output an operator stores as the deployed secret. */
type Recipe = { local: () => string; shell: string }

const randomKey = (encoding: BufferEncoding = 'base64') => randomBytes(32).toString(encoding)

const recipes: Record<string, Recipe> = {
  BASE_URL: { local: () => 'http://127.0.0.1:8787', shell: 'echo https://the.address.people.use' },
  AUTH_SECRET: { local: () => randomKey('base64url'), shell: 'openssl rand -base64 32' },
  // The command also prints the keyring, because rotating a key needs it and Cloudflare never shows a secret again.
  DATA_KEYS: { local: () => `k1:${randomKey()}`, shell: 'echo k1:$(openssl rand -base64 32) | tee /dev/stderr' },
  INDEX_KEY: { local: () => randomKey(), shell: 'openssl rand -base64 32' },
  VAPID_KEY: { local: pushKey, shell: 'node scripts/secrets.ts' },
}

/** A P-256 key as `x.y.d`. */
function pushKey(): string {
  const { x, y, d } = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' })
  return [x, y, d].join('.')
}

/** Adds the missing secrets to `.dev.vars`. Existing ones stay, because local data are encrypted with them. */
export function writeDevVars(file = '.dev.vars'): void {
  const present = existsSync(file) ? readFileSync(file, 'utf8') : ''
  const missing = Object.entries(recipes).filter(([name]) => !new RegExp(`^\\s*${name}\\s*=`, 'm').test(present))
  if (missing.length === 0) return
  const lines = missing.map(([name, { local }]) => `${name}=${local()}\n`)
  const separator = present === '' || present.endsWith('\n') ? '' : '\n'
  writeFileSync(file, present + separator + lines.join(''), { mode: 0o600 })
}

/** One shell command for each secret that a deployment needs. */
export const secretCommands = (names: string[], target: string): string[] =>
  names.map((name) => `${recipes[name]?.shell ?? 'cat'} | npx wrangler secret put ${name} --env ${target}`)

// To set VAPID_KEY in a deployment.
if (import.meta.main) process.stdout.write(pushKey())
