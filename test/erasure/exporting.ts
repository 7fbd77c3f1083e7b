import { setTimeout as sleep } from 'node:timers/promises'
import { unzip } from '../support/zip.ts'
import type { Person, Planting } from './planting.ts'
import { databaseWith, withDatabase } from './scan.ts'

type Proof = {
  stateDir: string
  server: { start: () => Promise<void>; kill: () => Promise<void> }
  runJobOfHour: (name: string) => Promise<void>
  until: (what: string, isReached: () => boolean) => Promise<void>
}

/** Exports the data of a person, while the server is killed with SIGKILL. Returns the files of the archive as one text. */
export async function exportThroughKills(
  proof: Proof,
  planting: Planting,
  person: Person,
  maxKills: number,
): Promise<{ kills: number; text: string }> {
  const directory = databaseWith(proof.stateDir, 'exports')
  const inDirectory = (query: string) => withDatabase(directory, (db) => db.prepare(query).all())
  const isReady = () => inDirectory("select 1 from exports where status = 'ready'").length > 0
  const requested = planting.call('/me/exports', person).catch(() => {}) // the first kill may interrupt it
  await proof.until('the request', () => inDirectory('select 1 from exports').length > 0)
  let kills = 0
  while (kills < maxKills) {
    await sleep(Math.random() * 100)
    await proof.server.kill()
    if (isReady()) {
      await proof.server.start()
      break
    }
    kills += 1
    inDirectory(`update exports set created_at = ${Date.now() - 2 * 3_600_000} where status = 'preparing' returning id`)
    await proof.server.start()
    await proof.runJobOfHour('resume overdue exports')
  }
  await requested
  await proof.until('the export', isReady)
  const [{ id }] = inDirectory('select id from exports') as [{ id: number }]
  const archive = await planting.call<Buffer>(`/me/exports/${id}/file`, person, { method: 'GET' })
  const files = [...unzip(archive).values()].map((bytes) => Buffer.from(bytes).toString('latin1'))
  return { kills, text: files.join('\n') }
}
