import type { Id } from '../../src/platform/data/ids.ts'
import { shardOf } from '../../src/platform/data/ids.ts'
import { insertRows, shardHolding, unusedId } from './databases.ts'

/** Inserts a subscription that nobody can open. */
export async function insertPush(accountId: Id): Promise<Id> {
  const id = unusedId(shardOf(accountId))
  const row = {
    account_id: Number(accountId),
    id: Number(id),
    session_id: '',
    endpoint_hash: id,
    sealed: '',
    device: 'Firefox',
  }
  await insertRows(shardHolding(accountId), 'push_subscriptions', [row])
  return id
}

/** Inserts the notification of a follow by another account. */
export async function insertNotification(accountId: Id, actorId: Id): Promise<Id> {
  const id = unusedId(shardOf(accountId))
  const row = {
    account_id: Number(accountId),
    id: Number(id),
    kind: 'follow',
    actor_id: Number(actorId),
    group_id: 1,
    arrived_at: 1,
  }
  await insertRows(shardHolding(accountId), 'notifications', [row])
  return id
}

/** Rows that a mail leaves. */
export async function insertDelivery(accountId: Id): Promise<void> {
  const account_id = Number(accountId)
  await insertRows(shardHolding(accountId), 'delivery_turns', [{ account_id, channel: 'mail', taken_at: 1, lease: 0 }])
  const digest = { every: 'daily', time_zone: 'UTC', minutes: 480, asked_at: 1, next_at: 8e15 }
  await insertRows(shardHolding(accountId), 'digests', [{ account_id, ...digest }])
  await insertRows(shardHolding(accountId), 'suppressed_addresses', [{ account_id, address: 'index' }])
  await insertRows(shardHolding(accountId), 'deliveries', [
    { account_id, event_id: account_id, channel: 'mail', state: 'sent', attempt: 0, next_at: null, reached: '[]' },
  ])
  const ofMessage = { conversation_id: 'c0ffee'.repeat(5), seq: 1, author_id: account_id, first_at: 1 }
  await insertRows(shardHolding(accountId), 'deliveries', [
    {
      account_id,
      event_id: account_id,
      channel: 'messageMail',
      state: 'sent',
      attempt: 0,
      next_at: null,
      ...ofMessage,
    },
  ])
}
