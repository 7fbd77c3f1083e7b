import { z } from '@hono/zod-openapi'

const presets = new Map([['google', { name: 'Google', issuer: 'https://accounts.google.com' }]])

const isIssuer = (text: string) => {
  const url = URL.parse(text)
  const isLocal = url?.protocol === 'http:' && url.hostname === '127.0.0.1'
  return url !== null && (url.protocol === 'https:' || isLocal) && url.search === '' && url.hash === ''
}

const Provider = z.strictObject({
  id: z.string().regex(/^[a-z][a-z\d-]{0,19}$/, 'must be up to 20 letters a to z, digits and hyphens'),
  name: z.string().min(1).max(30),
  issuer: z.string().max(255).refine(isIssuer, 'must be an https address without a query, as the provider writes it'),
  clientId: z.string().min(1).max(255),
  clientSecret: z.string().min(1).max(500),
  scopes: z
    .array(z.string().regex(/^[\w:./-]{1,100}$/))
    .default(['openid', 'email', 'profile'])
    .refine((scopes) => scopes.includes('openid'), 'must contain openid'),
})
export type Provider = z.infer<typeof Provider>

const withPreset = (entry: unknown): unknown =>
  typeof entry === 'object' && entry !== null && 'id' in entry ? { ...presets.get(String(entry.id)), ...entry } : entry

const isUnique = (key: 'id' | 'issuer') => (list: Provider[]) =>
  new Set(list.map((one) => one[key])).size === list.length
const Providers = z
  .array(z.preprocess(withPreset, Provider))
  .max(10)
  .refine(isUnique('id'), 'has the same id twice')
  .refine(isUnique('issuer'), 'has the same issuer twice')

/** A JSON array. The provider `google` needs only an id, a `clientId` and a `clientSecret`. */
export const ProviderList = z
  .string()
  .default('[]')
  .transform((text, ctx): Provider[] => {
    const list = parseJson(text)
    if (!Array.isArray(list)) ctx.addIssue('must be a JSON array')
    const { data, error } = Providers.safeParse(list ?? [])
    for (const { path, message } of error?.issues ?? []) ctx.addIssue([...path, message].join(' '))
    return data ?? z.NEVER
  })

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
