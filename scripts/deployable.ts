export type Target = 'staging' | 'production'

type Binding = { binding: string }

/** The part of wrangler's resolved configuration that is checked. */
export type Settings = {
  vars: Record<string, unknown>
  secrets?: { required?: string[] }
  d1_databases: (Binding & { database_name?: string })[]
  r2_buckets: (Binding & { bucket_name?: string })[]
  analytics_engine_datasets: (Binding & { dataset?: string })[]
  queues: { producers?: Binding[]; consumers?: { queue: string }[] }
  kv_namespaces: Binding[]
  durable_objects: { bindings: { name: string }[] }
  send_email: { name: string }[]
  images?: Binding
  version_metadata?: Binding
}

/** What forbids deploying `settings` as `target`, a sentence each; empty when all is well. */
export function deployProblems(settings: Settings, development: Settings, target: Target): string[] {
  const belongsToDevelopment = new Set(resourcesOf(development))
  return [
    ...(settings.vars.ENVIRONMENT === target ? [] : [`vars.ENVIRONMENT must be "${target}"`]),
    ...addressProblems(settings.vars.BASE_URL),
    ...missing(namesOf(development), namesOf(settings)).map((name) => `${name} is not declared for ${target}`),
    ...resourcesOf(settings)
      .filter((name) => belongsToDevelopment.has(name))
      .map((name) => `${name} belongs to development`),
  ]
}

function addressProblems(address: unknown): string[] {
  if (address === undefined || isPublicHttps(String(address))) return []
  return [`vars.BASE_URL must be the https address that people use, not "${address}"`]
}

function isPublicHttps(address: string): boolean {
  if (!URL.canParse(address)) return false
  const { protocol, hostname } = new URL(address)
  const reserved = /^[\d.]+$|^\[|(^|\.)(example(\.com|\.net|\.org)?|invalid|local|localhost|test)$/
  return protocol === 'https:' && hostname.includes('.') && !reserved.test(hostname)
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
  ...(settings.queues.consumers ?? []).map((it) => it.queue),
]
