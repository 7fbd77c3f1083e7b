import { signal } from '@preact/signals'
import { get } from '../api/api.ts'
import type { Limits } from '../api/wire.ts'

/** The limits of a post. These are defaults until the limits of the server are loaded. */
export const limits = signal<Pick<Limits, 'postLength' | 'postImages'>>({ postLength: 500, postImages: 4 })

export async function loadLimits(): Promise<void> {
  limits.value = await get<Limits>('/limits')
}
