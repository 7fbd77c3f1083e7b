import Argon2, { Argon2Type } from '@phi-ag/argon2'
import wasm from '@phi-ag/argon2/argon2.wasm'
import type { Config } from '../../platform/config.ts'

let argon2: Argon2 | null = null

export function hashPassword(config: Config, password: string): string {
  const cost = { memoryCost: config.PASSWORD_HASH_MEMORY_KIB, timeCost: 2, parallelism: 1, type: Argon2Type.Argon2id }
  return hasher().hash(toAscii(password), cost).encoded
}

/** For a null hash, does the same work and returns false: the timing must not reveal whether the account exists. */
export function passwordMatches(config: Config, password: string, hash: string | null): boolean {
  if (hash === null) return hashPassword(config, password) === ''
  return hasher().tryVerify(hash, toAscii(password)).success
}

function hasher(): Argon2 {
  argon2 ??= new Argon2(new WebAssembly.Instance(wasm))
  return argon2
}

/** Percent-encodes non-ASCII: the library counts UTF-16 units but hashes UTF-8 bytes, so it would cut off the end. */
function toAscii(password: string): string {
  return password
    .normalize('NFC')
    .toWellFormed()
    .replace(/[^\x20-\x7e]|%/gu, encodeURIComponent)
}
