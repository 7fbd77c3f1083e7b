import { idempotencyKeys } from './data/idempotency.ts'
import { eraseRequests, eraseSockets } from './erasure.ts'
import { deadLetters } from './events/dead-letters.ts'
import { outbox } from './events/events.ts'
import { classify, nothing, type PersonalData } from './personal-data.ts'
import { hubs } from './realtime/hubs.ts'

/** Events and messages contain ids, never contents. Keys of requests expire within a day. */
export const housekeepingData: PersonalData = {
  inventory: {
    ...classify(outbox, {
      id: 'technical',
      type: 'technical',
      data: 'technical',
      trace: 'technical',
      pending: 'technical',
      retryAt: 'technical',
    }),
    ...classify(deadLetters, {
      id: 'technical',
      queue: 'technical',
      body: 'technical',
      failedAt: 'technical',
      replay: 'technical',
      pending: 'technical',
    }),
    ...classify(idempotencyKeys, {
      accountId: 'owner',
      operation: 'technical',
      key: 'technical',
      fingerprint: 'secret',
      resultId: 'technical',
      expiresAt: 'technical',
    }),
    'object GUARD.usage': { id: 'technical', used: 'technical', resets_at: 'technical' },
    'object GUARD.status': { id: 'technical', suspended: 'technical', revoked_before: 'technical' },
    'object GUARD.ended_sessions': { id: 'technical', ended_at: 'technical' },
    'object GUARD.rights': { id: 'technical', rights: 'technical' },
    'object GUARD.addresses': { address: 'secret', used: 'technical' },
    'object GUARD.api_keys': {
      id: 'technical',
      hash: 'secret',
      scopes: 'technical',
      created_at: 'technical',
      expires_at: 'technical',
      used_at: 'exported',
      ended_at: 'technical',
    },
    'object GUARD.api_key_state': { id: 'technical', is_complete: 'technical', void_before: 'technical' },
    'object REVOCATIONS.changes': { at: 'technical', account_id: 'owner' },
    'object REVOCATIONS.beginning': { id: 'technical', at: 'technical' },
    'object SWEEPER': { alarm: 'technical', id: 'technical' },
    'R2 KEYS accounts/<account id>': { object: 'secret' },
    'queue EVENTS': { body: 'technical' },
    'queue FANOUT': { body: 'technical' },
    'queue DELIVERIES': { body: 'technical' },
  },
  exported: nothing,
  erase: eraseRequests,
}

/** Hubs keep the ids of what they pushed for at most a day, and whom an account follows while it listens. */
export const realtimeData: PersonalData = {
  inventory: {
    ...classify(hubs, { name: 'technical', epoch: 'technical' }),
    'object HUB.frames': {
      slot: 'technical',
      seq: 'technical',
      key: 'technical',
      topic: 'technical',
      channel: 'technical',
      except_ids: 'technical',
      frame: 'technical',
    },
    'object HUB.listeners': { account_id: 'owner', from_seq: 'technical', authors: 'technical', topics: 'technical' },
    'object HUB.unheld': { id: 'technical', since: 'technical' },
    'object HUB.socket_tickets': {
      hash: 'secret',
      account_id: 'owner',
      session_id: 'technical',
      issued_at: 'technical',
      expires_at: 'technical',
    },
    'object HUB.revoked': { account_id: 'owner', session_id: 'technical', before: 'technical', at: 'technical' },
  },
  exported: nothing,
  erase: eraseSockets,
}
