import { z } from '@hono/zod-openapi'
import type { Act } from './events.ts'

export const Detail = z.record(z.string(), z.string())
export type Detail = z.infer<typeof Detail>

/** The named fields of an event that it has, as JSON; null if it has none. Lists become text with commas. */
export function detailOf(act: Act, names: readonly string[]): string | null {
  const found = Object.entries(act).filter(([name, value]) => names.includes(name) && (value ?? null) !== null)
  if (found.length === 0) return null
  return JSON.stringify(Object.fromEntries(found.map(([name, value]) => [name, String(value)])))
}

export function readDetail(detail: string | null): Detail | null {
  return detail === null ? null : Detail.parse(JSON.parse(detail))
}
