import { integer } from 'drizzle-orm/sqlite-core'

export const boolean = (name: string) => integer(name, { mode: 'boolean' })

/** A `Date` in code, epoch ms in the database. */
export const instant = (name: string) => integer(name, { mode: 'timestamp_ms' })
