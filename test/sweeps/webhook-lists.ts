import { runInDurableObject } from 'cloudflare:test'
import { type Id, newId } from '../../src/platform/data/ids.ts'
import { handTo } from '../../src/services/webhooks/endpoint.client.ts'
import { messageOf } from '../../src/services/webhooks/messages.ts'
import { pauseWebhook } from '../../src/services/webhooks/webhooks.ts'
import { accountsOn } from '../support/actors.ts'
import { asUser } from '../support/viewers.ts'
import { webhookObject, webhookOf } from '../support/webhooks.ts'
import type { List } from './lists.ts'

export async function webhookDeliveries(): Promise<List> {
  const [reader] = await accountsOn(0)
  const { id: webhookId } = await webhookOf(reader)
  await pauseWebhook(asUser(reader), { webhookId }) // so that nothing is sent meanwhile
  return {
    reader,
    path: `/v1/webhooks/${webhookId}/deliveries`,
    add: async (count) => {
      const ids = Array.from({ length: count }, () => newId(0, Date.now()))
      const messages = ids.map((id) => messageOf(id, 'webhook.test', { webhookId }))
      await handTo(asUser(reader), { webhookId, accountId: reader }, messages)
      return ids.map((id) => `${webhookId}.${id}`) as Id[]
    },
    remove: (deliveryId) =>
      runInDurableObject(webhookObject(webhookId), (_, { storage }) => {
        storage.sql.exec('DELETE FROM deliveries WHERE id = ?', Number(deliveryId.split('.')[1]))
      }),
  }
}
