import type { KeySource } from '../../../src/platform/security/tokens.ts'

/** The public keys of the benchmark's tokens, from a binding. The product reads its keys from the directory. */
export const publicKeys: KeySource = async (ctx) =>
  (ctx.env as unknown as { PUBLIC_KEYS: Awaited<ReturnType<KeySource>> }).PUBLIC_KEYS
