import { env } from 'cloudflare:workers'
import { createECDH, randomBytes } from 'node:crypto'
import { decrypt } from 'http_ece'
import { beforeEach, vi } from 'vitest'
import type { SystemCtx } from '../../src/platform/context.ts'
import type { Id } from '../../src/platform/data/ids.ts'
import { PushSubscriptionInput, subscribeToPush } from '../../src/services/deliveries/push-subscriptions.ts'
import { runDue } from './deliveries.ts'
import { insertLogin } from './logins.ts'
import { queues } from './manual-queues.ts'
import { asUser } from './viewers.ts'

export const PUSH_HOST = '127.0.0.1:8797'
type Sent = { host: string; path: string; headers: Headers; body: Buffer }
export type Browser = {
  id: Id
  path: string
  read: (body: Buffer) => { notification: Record<string, string>; web_push: number }
}

export const local = <C extends SystemCtx>(ctx: C, hosts = [PUSH_HOST]): C => ({
  ...ctx,
  config: { ...ctx.config, OUTBOUND_LOCAL_HOSTS: hosts },
})

/** Runs the pushes that the job finds, `minutes` from now. */
export const push = (minutes = 0, times = 1) => runDue(minutes, { times, ctx: local(queues.context()) })

/** A push service for each test. `answer` decides what it answers to each push, and `sent` lists them. */
export function usePushService() {
  const service: { sent: Sent[]; answer: (path: string, host: string) => Response | Promise<Response> } = {
    sent: [],
    answer: () => new Response(null, { status: 201 }),
  }
  beforeEach(() => {
    vi.spyOn(env.DELIVERIES, 'sendBatch').mockResolvedValue({ metadata: {} } as never) // the tests run what the job finds
    service.sent = []
    service.answer = () => new Response(null, { status: 201 })
    vi.spyOn(globalThis, 'fetch').mockImplementation(async (url, init) => {
      const { pathname, host } = new URL(String(url))
      const body = Buffer.from(init?.body as Uint8Array)
      service.sent.push({ host, path: pathname, headers: new Headers(init?.headers), body })
      return service.answer(pathname, host)
    })
  })
  return service
}

/** A browser that is subscribed to the pushes of the account. */
export async function browser(accountId: Id, name: string, host = PUSH_HOST): Promise<Browser> {
  const keys = createECDH('prime256v1')
  const auth = randomBytes(16)
  const subscription = {
    endpoint: `http://${host}/${name}`,
    keys: { p256dh: keys.generateKeys('base64url'), auth: auth.toString('base64url') },
  }
  const ctx = local(asUser(accountId), [host])
  const viewer = { ...ctx.viewer, sessionId: await insertLogin(accountId) }
  const { id } = await subscribeToPush({ ...ctx, viewer }, PushSubscriptionInput.parse(subscription))
  const read = (body: Buffer) =>
    JSON.parse(
      decrypt(body, { version: 'aes128gcm', privateKey: keys, authSecret: auth.toString('base64url') }).toString(),
    )
  return { id, path: `/${name}`, read }
}
