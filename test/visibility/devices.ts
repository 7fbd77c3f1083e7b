import { runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { vi } from 'vitest'
import type { Id } from '../../src/platform/data/ids.ts'
import { ruleKinds } from '../../src/services/deliveries/tables.ts'
import { prefer, statesOf, withAddress } from '../support/deliveries.ts'
import { browser, push } from '../support/push-service.ts'
import { passAll, sendTests, webhookObject, webhookOf } from '../support/webhooks.ts'
import { type Network, people } from './network.ts'

/** A mail, a push or a message to a webhook, with all of its text. `kinds` say what it is about. */
type Told = { to: string; by: 'mail' | 'push' | 'webhook'; kinds: string[]; text: string }

const everyone = { mail: 'everyone', push: 'everyone' } as const
const rules = Object.fromEntries(ruleKinds.map((kind) => [kind, everyone]))
const preferences = { rules, includeText: true, includeMessages: true }
const digest = { every: 'daily', timeZone: 'UTC', at: '08:00' } as const
const titles = /followed you|liked your post|commented on|mentioned you|wants to message|sent you/g
const kindsIn = (text: string) => [...new Set(text.match(titles))]
/** A sealed token, whose letters may look like a name. */
const UNSUBSCRIBE = /[?&]unsubscribe=[\w.-]+/g

/** Gives each account of the network an address, a browser and a webhook, and keeps what they are sent. */
export async function startDevices(network: Network) {
  const { idOf } = network.readAs(null)
  const told: Told[] = []
  const owners = new Map<string, (body: Buffer) => Omit<Told, 'by'>>()
  const addresses = new Map<string, string>()
  const webhooks = new Map<string, Id>()

  vi.spyOn(env.DELIVERIES, 'sendBatch').mockResolvedValue({ metadata: {} } as never) // `sendAll` runs what the job finds
  vi.spyOn(env.MAIL, 'send').mockImplementation(async (mail) => {
    const { to, subject, text, html } = mail as unknown as Record<'to' | 'subject' | 'text' | 'html', string>
    const owner = addresses.get(to)
    const all = [subject, text, html].join('\n').replaceAll(UNSUBSCRIBE, '')
    if (owner) told.push({ to: owner, by: 'mail', kinds: kindsIn(all), text: all })
    return { messageId: 'sent' }
  })
  vi.spyOn(globalThis, 'fetch').mockImplementation(async (url, init) => {
    const { pathname, host } = new URL(String(url))
    const isPush = !host.startsWith('hooks')
    const read = owners.get(isPush ? pathname : host)
    if (read) told.push({ by: isPush ? 'push' : 'webhook', ...read(Buffer.from(init?.body as Uint8Array)) })
    return new Response(null, { status: isPush ? 201 : 204 })
  })

  for (const name of people) {
    const id = idOf(name)
    addresses.set(await withAddress(id), name)
    await prefer(id, name === 'cyd' ? { ...preferences, rules: {}, digest } : preferences)
    const device = await browser(id, crypto.randomUUID())
    const { id: webhookId, host } = await webhookOf(id)
    webhooks.set(name, webhookId)
    await sendTests(id, webhookId)
    owners.set(device.path, (body) => {
      const text = JSON.stringify(device.read(body))
      return { to: name, kinds: kindsIn(text), text }
    })
    owners.set(host, (body) => ({ to: name, kinds: [JSON.parse(String(body)).type], text: String(body) }))
  }

  /** Sends everything that waits, and returns it. */
  async function sendAll(): Promise<Told[]> {
    await push()
    for (const webhookId of webhooks.values()) await passAll(webhookId)
    return told.splice(0)
  }

  /** The kinds of deliveries that were dropped instead of being sent. */
  async function withheld(): Promise<string[]> {
    const dropped = "SELECT id FROM deliveries WHERE state = 'dropped'"
    const states = await Promise.all(people.map((name) => statesOf(idOf(name))))
    const rows = [...webhooks.values()].map((webhookId) =>
      runInDurableObject(webhookObject(webhookId), (_, { storage }) => storage.sql.exec(dropped).toArray()),
    )
    const ofWebhooks = (await Promise.all(rows)).flat().map(() => 'webhook dropped')
    return [...states.flat().filter((state) => state.endsWith('dropped')), ...ofWebhooks]
  }

  return { sendAll, withheld }
}
