import { env } from 'cloudflare:workers'
import { expect, test } from 'vitest'
import { resendOverdue } from '../../../src/services/identity/mails.ts'
import { contextWith } from '../../support/platform.ts'

test('every overdue mail is sent again, however many others cannot be delivered', async () => {
  await env.DIRECTORY.prepare(
    `insert into mails (id, kind, created_at)
       select printf('%04d', value), 'none', ? from json_each(?)`,
  )
    .bind(Date.now() - 3 * 3_600_000, JSON.stringify(Array.from({ length: 1_201 }, (_, i) => i)))
    .run()
  const sent: string[] = []
  const DELIVERIES = {
    sendBatch: async (messages: Iterable<{ body: unknown }>) => {
      for (const { body } of messages) sent.push(JSON.stringify(body))
    },
  }
  const ctx = contextWith()
  await resendOverdue(Object.assign(ctx, { env: { ...ctx.env, DELIVERIES } as unknown as Env }))
  expect(new Set(sent).size).toBe(1_201)
  await env.DIRECTORY.prepare("delete from mails where kind = 'none'").run()
})
