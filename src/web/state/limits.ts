import { signal } from '@preact/signals'
import type { Limits } from '../../client/wire.ts'
import { client } from '../api/client.ts'

/** The limits of a post. These are defaults until the limits of the server are loaded. */
export const limits = signal<Pick<Limits, 'postLength' | 'postImages'>>({ postLength: 500, postImages: 4 })

export async function loadLimits(): Promise<void> {
  limits.value = await client.getLimits()
}
