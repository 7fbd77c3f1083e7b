import { isPublic } from '../src/platform/env.ts'

export type Target = 'staging' | 'production'

type Binding = { binding: string }
type Consumer = { queue: string; dead_letter_queue?: string }

/** The part of wrangler's resolved configuration that is checked. */
export type Settings = {
  vars: Record<string, unknown>
  secrets?: { required?: string[] }
  d1_databases: (Binding & { database_name?: string })[]
  r2_buckets: (Binding & { bucket_name?: string })[]
  analytics_engine_datasets: (Binding & { dataset?: string })[]
  queues: { producers?: (Binding & { queue: string })[]; consumers?: Consumer[] }
  kv_namespaces: Binding[]
  durable_objects: { bindings: { name: string }[] }
  send_email: { name: string }[]
  images?: Binding
  version_metadata?: Binding
}

/** What forbids deploying `settings` as `target`, a sentence each; empty when all is well. */
export function deployProblems(settings: Settings, development: Settings, target: Target): string[] {
  return [
    ...(settings.vars.ENVIRONMENT === target ? [] : [`vars.ENVIRONMENT must be "${target}"`]),
    ...addressProblems(settings.vars.BASE_URL),
    ...missing(namesOf(development), namesOf(settings)).map((name) => `${name} is not declared for ${target}`),
    ...resourcesOf(settings)
      .filter((name) => !name.split(/[-_]/).includes(target))
      .map((name) => `${name} does not say by its name that it belongs to ${target}`),
    ...databaseProblems(settings),
    ...queueProblems(settings.queues),
  ]
}

function databaseProblems({ d1_databases: databases }: Settings): string[] {
  const names = databases.map((it) => it.database_name)
  const twice = databases.filter((it, i) => names.indexOf(it.database_name) < i)
  return twice.map((it) => `${it.binding} is the same database as another binding`)
}

/** `src/worker.ts` knows a queue by how its name ends; what failed goes to one of the same name that ends in `-dead`. */
function queueProblems({ producers = [], consumers = [] }: Settings['queues']): string[] {
  const consumed = consumers.map((it) => it.queue)
  const unknown = consumed.filter((name) => !/-(events|fanout|deliveries)(-dead)?$/.test(name))
  const astray = consumers.filter((it) => !it.queue.endsWith('-dead') && it.dead_letter_queue !== `${it.queue}-dead`)
  return [
    ...missing(
      producers.map((it) => it.queue),
      consumed,
    ).map((name) => `nobody consumes ${name}`),
    ...unknown.map((name) => `src/worker.ts does not know what to do with ${name}`),
    ...astray.map(({ queue }) => `what fails in ${queue} must go to ${queue}-dead`),
  ]
}

function addressProblems(address: unknown): string[] {
  if (address === undefined || isPublicHttps(String(address))) return []
  return [`vars.BASE_URL must be the https address that people use, not "${address}"`]
}

function isPublicHttps(address: string): boolean {
  if (!URL.canParse(address)) return false
  const reserved = /^\[|(^|\.)(example(\.com|\.net|\.org)?|invalid|local|localhost|test)$/
  return isPublic(address) && !reserved.test(new URL(address).hostname)
}

const missing = (wanted: string[], present: string[]) => wanted.filter((name) => !present.includes(name))

/** Everything the Worker finds in its env, by name: a variable may stand in for a secret, as BASE_URL might. */
const namesOf = (settings: Settings): string[] => [
  ...Object.keys(settings.vars),
  ...(settings.secrets?.required ?? []),
  ...[settings.d1_databases, settings.r2_buckets, settings.kv_namespaces, settings.analytics_engine_datasets]
    .flat()
    .map((it) => it.binding),
  ...(settings.queues.producers ?? []).map((it) => it.binding),
  ...[...settings.durable_objects.bindings, ...settings.send_email].map((it) => it.name),
  ...[settings.images, settings.version_metadata].flatMap((it) => it?.binding ?? []),
]

const resourcesOf = (settings: Settings): string[] => [
  ...settings.d1_databases.flatMap((it) => it.database_name ?? []),
  ...settings.r2_buckets.flatMap((it) => it.bucket_name ?? []),
  ...settings.analytics_engine_datasets.flatMap((it) => it.dataset ?? []),
  ...[settings.queues.producers ?? [], settings.queues.consumers ?? []].flat().map((it) => it.queue),
]
