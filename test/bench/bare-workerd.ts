import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { join, relative } from 'node:path'
import type { DatabaseSync, SQLInputValue } from 'node:sqlite'
import type { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'

/** A Worker as workerd itself configures it. Without Miniflare, no simulator uses CPU time of the same process. */
export type BareWorker = {
  modules: { name: string; path: string }[]
  compatibilityDate: string
  compatibilityFlags: string[]
  variables: Record<string, unknown>
  /** The ports at which `serveD1` serves the databases, by the name of the binding. */
  databases: Record<string, number>
  objects: Record<string, string>
}

const requireBesideMiniflare = createRequire(import.meta.resolve('miniflare'))

/** Starts workerd with one Worker. Resolves once workerd listens. */
export async function startBare(worker: BareWorker, dir: string): Promise<{ process: ChildProcess; port: number }> {
  const file = join(dir, 'config.capnp')
  writeFileSync(file, configOf(worker, dir))
  const args = ['serve', '--experimental', '--control-fd=3', file]
  const process = spawn(requireBesideMiniflare('workerd').default, args, {
    stdio: ['ignore', 'ignore', 'inherit', 'pipe'],
  })
  const [message] = await once(process.stdio[3] as Readable, 'data')
  return { process, port: JSON.parse(String(message)).port }
}

function configOf(
  { modules, compatibilityDate, compatibilityFlags, variables, databases, objects }: BareWorker,
  dir: string,
): string {
  const list = (items: string[]) => `[${items.join(', ')}]`
  const quoted = JSON.stringify
  const names = Object.keys(databases)
  const services = names.map(
    (name) => `(name = "${name}", external = (address = "127.0.0.1:${databases[name]}", http = ()))`,
  )
  // A disk is required: workerd supports SQLite in Durable Objects only if their storage is on one.
  const disk = `(name = "disk", disk = (path = ${quoted(mkdtempSync(join(dir, 'objects-')))}, writable = true))`
  const wrapped = (name: string) =>
    `wrapped = (moduleName = "cloudflare-internal:d1-api", innerBindings = [(name = "fetcher", service = "${name}")])`
  const bindings = [
    ...names.map((name) => `(name = "${name}", ${wrapped(name)})`),
    ...Object.entries(variables).map(
      ([name, value]) =>
        `(name = "${name}", ${typeof value === 'string' ? `text = ${quoted(value)}` : `json = ${quoted(quoted(value))}`})`,
    ),
    ...Object.entries(objects).map(([name, type]) => `(name = "${name}", durableObjectNamespace = "${type}")`),
  ]
  const namespaces = Object.values(objects).map(
    (type) => `(className = "${type}", uniqueKey = "${type}", enableSql = true)`,
  )
  const parts = modules.map(
    ({ name, path }) =>
      `(name = "${name}", ${name.endsWith('.wasm') ? 'wasm' : 'esModule'} = embed ${quoted(relative(dir, path))})`,
  )
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = ${list(['(name = "worker", worker = .worker)', disk, ...services])},
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "worker")],
);
const worker :Workerd.Worker = (
  compatibilityDate = "${compatibilityDate}",
  compatibilityFlags = ${list(compatibilityFlags.map((flag) => quoted(flag)))},
  modules = ${list(parts)},
  bindings = ${list(bindings)},
  durableObjectNamespaces = ${list(namespaces)},
  durableObjectStorage = (localDisk = "disk"),
);`
}

/** Serves a database over the protocol of D1 bindings. Resolves with the port. */
export async function serveD1(database: DatabaseSync): Promise<number> {
  const run = ({ sql, params = [] }: { sql: string; params?: SQLInputValue[] }) => {
    const statement = database.prepare(sql)
    statement.setReturnArrays(true)
    const results = { columns: statement.columns().map((column) => column.name), rows: statement.all(...params) }
    return { success: true, results, meta: { duration: 0, rows_read: 0, rows_written: 0 } }
  }
  const server = createServer(async (request, response) => {
    const queries = [JSON.parse(await text(request))].flat()
    response.setHeader('content-type', 'application/json').end(JSON.stringify(queries.map(run)))
  })
  await once(server.unref().listen(0, '127.0.0.1'), 'listening')
  return (server.address() as AddressInfo).port
}
