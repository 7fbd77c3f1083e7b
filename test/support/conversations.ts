import { runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { configOf } from '../../src/platform/config.ts'
import type { Id } from '../../src/platform/data/ids.ts'
import { listConversations, openConversation } from '../../src/services/messaging/conversations.ts'
import { listMessages, sendMessage } from '../../src/services/messaging/messages.ts'
import { conversationOf } from '../../src/services/messaging/policy.ts'
import { until } from './until.ts'
import { asUser } from './viewers.ts'

export const idOfPair = (one: Id, other: Id) => conversationOf(configOf(env), one, other)
export const conversationObject = (id: string) => env.CONVERSATION.getByName(id)

export const opened = async (by: Id, other: Id) => (await openConversation(asUser(by), { accountId: other })).id
export const say = (by: Id, conversationId: string, text: string, clientId: string = crypto.randomUUID()) =>
  sendMessage(asUser(by), { conversationId, clientId, text })

/** The texts as the account reads them, oldest first. */
export async function textsFor(by: Id, conversationId: string): Promise<(string | null)[]> {
  const { items } = await listMessages(asUser(by), { conversationId, after: 0, limit: 50 })
  return items.map(({ text }) => text).reverse()
}

export const inboxOf = async (by: Id, state: 'active' | 'request' | 'declined' = 'active') =>
  (await listConversations(asUser(by), { state, limit: 50 })).items

/** Waits until the inboxes of all members are up to date. */
export async function delivered(conversationId: string): Promise<void> {
  const waiting = () =>
    runInDurableObject(
      conversationObject(conversationId),
      (_, { storage }) => storage.sql.exec('SELECT 1 FROM outbox').toArray().length,
    )
  await until(async () => (await waiting()) === 0)
}

/** A conversation of two accounts, to which `other` has sent a message, if wanted. */
export async function seedConversation(accountId: Id, other: Id, hasMessage: boolean): Promise<string> {
  const id = await idOfPair(accountId, other)
  const object = conversationObject(id)
  await object.open({ conversationId: id, accountId: other, otherId: accountId, otherState: 'active' })
  const sending = { accountId: other, clientId: crypto.randomUUID(), body: { text: 'hello', entities: [] } }
  if (hasMessage) await object.send(sending)
  return id
}
