import { rmSync } from 'node:fs'
import { makeStateDir } from './support/state-dir.ts'

/** Keeps the temporary files of a run in memory: a test file causes hundreds of writes, and each would wait for the disk. */
export default function useMemory(): () => void {
  const folder = makeStateDir('socialconnect-tests')
  process.env.TMPDIR = folder
  return () => rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
}
