import { signal } from '@preact/signals'
import { get } from '../api/api.ts'
import type { Limits } from '../api/wire.ts'

/** How much a post may hold: the usual, until the server has said what holds here. */
export const limits = signal<Limits>({ postLength: 500, postImages: 4 })

export async function readLimits(): Promise<void> {
  limits.value = await get<Limits>('/limits')
}
