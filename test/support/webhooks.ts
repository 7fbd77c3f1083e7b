import { runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { vi } from 'vitest'
import { type Id, newId } from '../../src/platform/data/ids.ts'
import { getWebhookDelivery, listWebhookDeliveries } from '../../src/services/webhooks/deliveries.ts'
import { handTo } from '../../src/services/webhooks/endpoint.client.ts'
import { messageOf } from '../../src/services/webhooks/messages.ts'
import type { WebhookEventType } from '../../src/services/webhooks/tables.ts'
import { webhookEvents } from '../../src/services/webhooks/tables.ts'
import { createWebhook } from '../../src/services/webhooks/webhooks.ts'
import { asUser } from './viewers.ts'

export type Received = { headers: Record<string, string>; body: string }
type Answer = (received: Received) => Response | Promise<Response>

/** Servers of developers, by host. Replaces `fetch`, so call `restoreAllMocks` after each test. */
export function receivers() {
  const answers = new Map<string, Answer>()
  const received = new Map<string, Received[]>()
  vi.spyOn(globalThis, 'fetch').mockImplementation(async (input, init) => {
    const { host } = new URL(String(input))
    const message = { headers: Object.fromEntries(new Headers(init?.headers)), body: String(init?.body) }
    received.set(host, [...(received.get(host) ?? []), message])
    return answers.get(host)?.(message) ?? new Response(null, { status: 204 })
  })
  return {
    answer: (host: string, answer: Answer) => void answers.set(host, answer),
    received: (host: string) => received.get(host) ?? [],
  }
}

const { fetch: realFetch } = globalThis

/** For tests that are not about what is sent: messages to webhooks arrive, and other requests are made. */
export function acceptMessages(): void {
  const isWebhook = (input: unknown) => /^https:\/\/hooks\d*\.example\.org\//.test(String(input))
  vi.spyOn(globalThis, 'fetch').mockImplementation(async (input, init) =>
    isWebhook(input) ? new Response(null, { status: 204 }) : realFetch(input as RequestInfo, init as RequestInit),
  )
}

let made = 0

/** A webhook at a host of its own. */
export async function webhookOf(accountId: Id, events: readonly WebhookEventType[] = webhookEvents) {
  made += 1
  const host = `hooks${made}.example.org`
  const { value: webhook } = await createWebhook(asUser(accountId), {
    url: `https://${host}/in`,
    events: [...events],
    description: '',
  })
  return { ...webhook, host }
}

export const webhookObject = (id: string) => env.WEBHOOK.getByName(id)

/** Runs the alarm. False if none was set. */
export const pass = (id: string) => runDurableObjectAlarm(webhookObject(id))

/** When the alarm of the object is due, epoch ms. */
export const alarmOf = (id: string) => runInDurableObject(webhookObject(id), (_, { storage }) => storage.getAlarm())

/** Runs the alarms that are due, until none is. Returns how many ran. */
export async function passAll(id: string): Promise<number> {
  for (let passes = 0; ; passes++) {
    const at = await alarmOf(id)
    if (at === null || at > Date.now() || !(await pass(id))) return passes
  }
}

export const deliveriesOf = async (by: Id, webhookId: Id) =>
  (await listWebhookDeliveries(asUser(by), { webhookId, limit: 50 })).items

export const deliveryOf = (by: Id, deliveryId: string) => getWebhookDelivery(asUser(by), { deliveryId })

/** A webhook with a delivery. Returns the id of the delivery. */
export async function seedDelivery(accountId: Id): Promise<string> {
  const { id: webhookId } = await webhookOf(accountId)
  const id = newId(0, Date.now())
  await handTo(asUser(accountId), { webhookId, accountId }, [messageOf(id, 'webhook.test', { webhookId })])
  return `${webhookId}.${id}`
}

/** Hands test messages to the webhook. */
export async function sendTests(accountId: Id, webhookId: Id, count = 1): Promise<void> {
  const ids = Array.from({ length: count }, () => newId(0, Date.now()))
  const messages = ids.map((id) => messageOf(id, 'webhook.test', { webhookId }))
  await handTo(asUser(accountId), { webhookId, accountId }, messages)
}

export const answerWith = (status: number, headers?: Record<string, string>) => () =>
  new Response('no', { status, headers })

/** The hosts that queued mails about paused webhooks name. */
export async function mailsAbout(accountId: Id, kind: 'failing' | 'gone'): Promise<string[]> {
  const mails = env.DIRECTORY.prepare('select detail from mails where account_id = ? and kind = ?')
  const { results } = await mails.bind(Number(accountId), `webhook-${kind}`).all<{ detail: string }>()
  return results.map(({ detail }) => detail)
}
