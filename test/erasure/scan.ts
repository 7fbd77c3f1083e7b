import { globSync, readFileSync, rmSync, statSync } from 'node:fs'
import { basename, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

export type Marker = { name: string; bytes: Buffer }

/** The markers that the files of a folder contain, each with the first file that has it. */
export function readableIn(folder: string, markers: readonly Marker[]): Map<string, string> {
  const found = new Map<string, string>()
  for (const file of filesIn(folder)) {
    const content = contentOf(file)
    for (const { name, bytes } of markers) {
      if (!found.has(name) && content.includes(bytes)) found.set(name, file.slice(folder.length + 1))
    }
  }
  return found
}

/** Empty if a running server has just deleted the file, such as the log of a database. */
function contentOf(file: string): Buffer {
  try {
    return readFileSync(file)
  } catch {
    return Buffer.alloc(0)
  }
}

export function filesIn(folder: string): string[] {
  return globSync(join(folder, '**/*')).filter((file) => statSync(file, { throwIfNoEntry: false })?.isFile())
}

const databasesIn = (folder: string) => filesIn(folder).filter((file) => file.endsWith('.sqlite'))

/**
 * Rewrites the SQLite files of a stopped server without their free pages and logs, and deletes what no object of R2 uses. workerd leaves the bytes of deleted
 * rows in free pages until they are used again. How Cloudflare stores databases is not visible to an application.
 */
export function compact(folder: string): void {
  for (const file of databasesIn(folder)) {
    const db = new DatabaseSync(file)
    db.exec('PRAGMA wal_checkpoint(TRUNCATE)')
    db.exec('VACUUM')
    db.exec('PRAGMA wal_checkpoint(TRUNCATE)')
    db.close()
    for (const log of [`${file}-wal`, `${file}-shm`]) rmSync(log, { force: true })
  }
  const blobs = new Set(databasesIn(join(folder, 'v3/r2')).flatMap(blobsOf))
  for (const file of globSync(join(folder, 'v3/r2/*/blobs/*'))) if (!blobs.has(basename(file))) rmSync(file)
}

/** The files of the objects in a bucket. The local R2 deletes a file after its row, and not at all if killed in between. */
function blobsOf(database: string): string[] {
  if (basename(database) === 'metadata.sqlite') return []
  const ids = 'select blob_id id from _mf_objects union select blob_id from _mf_multipart_parts'
  return withDatabase(database, (db) =>
    db
      .prepare(ids)
      .all()
      .map((row) => String(row.id)),
  )
}

/** The file of the local database that has this table. */
export function databaseWith(folder: string, table: string): string {
  const file = databasesIn(join(folder, 'v3/d1')).find((candidate) => {
    const db = new DatabaseSync(candidate, { readOnly: true, timeout: 10_000 })
    const found = db.prepare('select 1 from sqlite_master where name = ?').get(table)
    db.close()
    return found !== undefined
  })
  if (!file) throw new Error(`no database in ${folder} has the table ${table}`)
  return file
}

/** Runs `work` on a database while the server may use it too. */
export function withDatabase<T>(file: string, work: (db: DatabaseSync) => T): T {
  const db = new DatabaseSync(file, { timeout: 10_000 })
  try {
    return work(db)
  } finally {
    db.close()
  }
}
