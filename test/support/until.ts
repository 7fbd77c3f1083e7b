import { vi } from 'vitest'

/** Waits until the condition holds. The default of `vi.waitUntil`, one second, is too short on a busy machine. */
export const until = <T>(condition: () => T | Promise<T>) => vi.waitUntil(condition, { timeout: 25_000, interval: 20 })
