/** Runs the steps (SQL) that this object has not run yet, in one transaction. Never change a step, only append. */
export function migrateObject(storage: DurableObjectStorage, steps: readonly string[]): void {
  const { sql } = storage
  const version = isMigrated(storage)
    ? sql.exec<{ version: number }>('SELECT version FROM schema_version').one().version
    : 0
  if (version === steps.length) return
  if (version > steps.length) throw new Error(`the object's schema has version ${version}, newer than this code`)
  storage.transactionSync(() => {
    sql.exec('CREATE TABLE IF NOT EXISTS schema_version (version INTEGER NOT NULL)')
    for (const step of steps.slice(version)) sql.exec(step)
    sql.exec('DELETE FROM schema_version')
    sql.exec('INSERT INTO schema_version VALUES (?)', steps.length)
  })
}

/** Whether the object has ever stored something. Asking this stores nothing. */
export function isMigrated({ sql }: DurableObjectStorage): boolean {
  return sql.exec("SELECT 1 FROM sqlite_schema WHERE name = 'schema_version'").toArray().length > 0
}
