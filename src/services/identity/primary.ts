import type { SystemCtx } from '../../platform/context.ts'
import { type Database, openDatabases } from '../../platform/db.ts'

/** The directory for reading, as its primary has it: who may come in must not be asked of a replica that lags. */
export function primary(ctx: SystemCtx): Pick<Database, 'select'> {
  const { cost, now, env } = ctx
  return openDatabases(env, { cost, now, start: 'first-primary', onCommit: () => {} }).directory
}
