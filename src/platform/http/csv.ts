import type { Context } from 'hono'
import { accepts } from 'hono/accepts'
import type { AppEnv } from './app-env.ts'

/** A table for programs that read CSV (RFC 4180). */
export type Table = { header: readonly string[]; rows: readonly (readonly (string | number | null)[])[] }

export const CSV = 'text/csv'

/** Whether the client asks for CSV: by `?format=csv`, or with `Accept: text/csv`, which `format=json` overrides. */
export function wantsCsv(c: Context<AppEnv>): boolean {
  const format = c.req.query('format')
  const supports = ['application/json', CSV]
  const accepted = accepts(c, { header: 'Accept', supports, default: 'application/json' })
  return format === undefined ? accepted === CSV : format === 'csv'
}

export function csvOf({ header, rows }: Table): string {
  return [header, ...rows].map((row) => `${row.map(fieldOf).join(',')}\r\n`).join('')
}

function fieldOf(value: string | number | null): string {
  const text = String(value ?? '')
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
