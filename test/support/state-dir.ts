import { existsSync, mkdtempSync, statfsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/**
 * A new folder for the data of Workers, in memory if there is room. The simulated D1 writes at every read in a session, so
 * a disk would slow down reads.
 */
export function makeStateDir(name: string): string {
  const hasRoom = (dir: string) => existsSync(dir) && statfsSync(dir).bavail * statfsSync(dir).bsize > 1e9
  return mkdtempSync(join(hasRoom('/dev/shm') ? '/dev/shm' : tmpdir(), `${name}-`))
}
