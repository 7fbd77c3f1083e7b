import { env } from 'cloudflare:workers'
import { type Id, shardOf } from '../../src/platform/data/ids.ts'
import { personal } from '../../src/registry.ts'
import { archiveKey } from '../../src/services/privacy/export-archive.ts'
import { runExport } from '../../src/services/privacy/export-run.ts'
import { unusedId } from './databases.ts'
import { queues } from './manual-queues.ts'
import { unzip } from './zip.ts'

/** Runs each step once and keeps its result, like a Workflow. A second run continues after the steps that succeeded. */
export function memorySteps() {
  const results = new Map<string, unknown>()
  const run = async (name: string, ...rest: unknown[]) => {
    if (!results.has(name)) {
      const result = await (rest.at(-1) as () => Promise<unknown>)()
      results.set(name, structuredClone(result))
    }
    return results.get(name)
  }
  return { results, do: run as WorkflowStep['do'] }
}
type WorkflowStep = import('cloudflare:workers').WorkflowStep

export async function insertExport(accountId: Id, { status = 'preparing', at = Date.now(), expiresAt = 0 } = {}) {
  const exportId = unusedId(shardOf(accountId), at)
  await env.DIRECTORY.prepare(
    'INSERT INTO exports (id, account_id, status, created_at, expires_at) VALUES (?, ?, ?, ?, ?)',
  )
    .bind(Number(exportId), Number(accountId), status, at, expiresAt || null)
    .run()
  return { accountId, exportId }
}

export type Place = Awaited<ReturnType<typeof insertExport>>

/** Runs the export with these bindings replaced. */
export function run(place: Place, steps = memorySteps(), bindings: object = {}): Promise<void> {
  const ctx = queues.context()
  ctx.env = Object.assign({ ...ctx.env }, bindings)
  return runExport(ctx, place, steps, personal)
}

export async function filesOf(place: Place): Promise<Map<string, Uint8Array>> {
  const object = await env.EXPORTS.get(archiveKey(place))
  return unzip(new Uint8Array(await object!.arrayBuffer()))
}

export const statusOf = ({ exportId }: Place): Promise<string | null> =>
  env.DIRECTORY.prepare('SELECT status FROM exports WHERE id = ?').bind(Number(exportId)).first('status')

export const objectsOf = async ({ accountId }: { accountId: Id }): Promise<string[]> =>
  (await env.EXPORTS.list({ prefix: `exports/${accountId}/` })).objects.map(({ key }) => key)

export const textOf = (bytes: Uint8Array | undefined): string => new TextDecoder().decode(bytes)

/** Stores an archive that can be downloaded for each of these accounts, and returns the ids of the exports. */
export async function seedExports(owners: readonly Id[]): Promise<Id[]> {
  const ready = { status: 'ready', expiresAt: Date.now() + 86_400_000 }
  const places = await Promise.all(owners.map((owner) => insertExport(owner, ready)))
  await Promise.all(places.map((place) => env.EXPORTS.put(archiveKey(place), 'archive')))
  return places.map(({ exportId }) => exportId)
}
