import { readConfig } from '../src/platform/config.ts'

/** Ten times what is usual: an operator may be generous, but a limit there must be. */
const HIGHEST_QUOTA = 1_000

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
    ...variableProblems(settings, target),
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

/** What the Worker would say when it starts. Cloudflare shows no secret, so that something valid stands for each. */
function variableProblems({ vars, d1_databases: databases }: Settings, target: Target): string[] {
  const key = 'A'.repeat(44)
  const secrets = {
    BASE_URL: 'https://the.address.people.use',
    AUTH_SECRET: key,
    DATA_KEYS: `k1:${key}`,
    INDEX_KEY: key,
  }
  const bindings = Object.fromEntries(databases.map(({ binding }) => [binding, true]))
  const { problems } = readConfig({ ...bindings, ...secrets, ...vars, ENVIRONMENT: target })
  return [...problems, ...quotaProblems(vars.REQUESTS_PER_MINUTE)].map((problem) => `vars.${problem}`)
}

/** No rule of the Worker itself, since the bench runs it as production and asks without end. */
const quotaProblems = (quota: unknown): string[] =>
  Number(quota ?? 0) > HIGHEST_QUOTA ? [`REQUESTS_PER_MINUTE limits nobody: ${HIGHEST_QUOTA} is the most`] : []

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
