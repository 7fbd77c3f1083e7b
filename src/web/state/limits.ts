import { signal } from '@preact/signals'
import { get } from '../api/api.ts'
import type { Limits } from '../api/wire.ts'

/** The limits of a post. These are defaults until the limits of the server are loaded. */
export const limits = signal<Limits>({ postLength: 500, postBytes: 10_000, postImages: 4 })

export async function loadLimits(): Promise<void> {
  limits.value = await get<Limits>('/limits')
}
