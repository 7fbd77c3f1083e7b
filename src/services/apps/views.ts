import { z } from '@hono/zod-openapi'
import { Id } from '../../platform/data/ids.ts'
import type { KnownApp } from './queries.ts'

export const AppKind = z.enum(['public', 'confidential']).openapi('AppKind', {
  description: 'A confidential app has a secret. One that cannot keep it, such as one on a phone, is public',
})

export const App = z
  .object({
    id: Id.openapi({ description: 'The `client_id` of the app' }),
    name: z.string(),
    website: z.string().nullable(),
    description: z.string(),
    redirectUris: z.array(z.string()),
    kind: AppKind,
    createdAt: z.iso.datetime(),
    disabledAt: z.iso
      .datetime()
      .nullable()
      .openapi({ description: 'Since when it gets no tokens, because the staff disabled it; null if it may' }),
    disabledReason: z.string().nullable(),
  })
  .openapi('App', {
    example: {
      name: 'Birdhouse',
      website: 'https://birdhouse.example/',
      description: 'Photos of nest boxes',
      redirectUris: ['https://birdhouse.example/cb'],
      disabledAt: null,
      disabledReason: null,
    },
  })
export type App = z.infer<typeof App>

export const Apps = z.object({ items: z.array(App) }).openapi('Apps')

export const AppWithSecret = App.extend({
  secret: z.string().nullable().openapi({ description: 'Returned only once. Null for a public app' }),
}).openapi('AppWithSecret', { example: { secret: 'scs_Vb1xT0m7w4Zr9QkLJ2sNf6YpHc3DgEa8uXoWiRtSlMq' } })
export type AppWithSecret = z.infer<typeof AppWithSecret>

export const AppSummary = z
  .object({
    id: Id,
    name: z.string(),
    website: z.string().nullable(),
    description: z.string(),
    developer: z.string().nullable().openapi({ description: 'The handle; null if the app registered itself' }),
  })
  .openapi('AppSummary', {
    example: {
      name: 'Birdhouse',
      website: 'https://birdhouse.example/',
      description: 'Photos of nest boxes',
      developer: 'bob',
    },
  })

export const Permission = z
  .object({ title: z.string(), allows: z.array(z.string()) })
  .openapi('Permission', { example: { title: 'Publish as you', allows: ['Publish, delete and like posts'] } })

export const AllowedApp = AppSummary.extend({
  permissions: z.array(Permission),
  allowedAt: z.iso.datetime(),
  lastUsedAt: z.iso
    .datetime()
    .nullable()
    .openapi({ description: 'When the app last connected; null if it is not connected now' }),
  isDisabled: z.boolean().openapi({ description: 'Whether the staff disabled the app, so that it can do nothing' }),
}).openapi('AllowedApp', {
  example: { name: 'Birdhouse', description: 'Photos of nest boxes', allowedAt: '2026-04-13T09:26:53.589Z' },
})
export const AllowedApps = z.object({ items: z.array(AllowedApp) }).openapi('AllowedApps')
export type AllowedApps = z.infer<typeof AllowedApps>

export function summaryOf({ id, name, website, description, developer }: KnownApp): z.infer<typeof AppSummary> {
  return { id, name, website, description, developer }
}
