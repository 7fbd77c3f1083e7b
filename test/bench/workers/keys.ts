import type { KeySource } from '../../../src/platform/security/tokens.ts'

/** The keys of the bench's tokens, bound by the bench where the product reads its directory. */
export const publicKeys: KeySource = async (ctx) =>
  (ctx.env as unknown as { KEYS: Awaited<ReturnType<KeySource>> }).KEYS
