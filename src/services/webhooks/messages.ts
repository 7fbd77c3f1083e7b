import { z } from '@hono/zod-openapi'
import { Id, isoTimeOf } from '../../platform/data/ids.ts'
import { type MessageType, messageTypes } from './tables.ts'

/** The ids in the `data` of a message. */
export const Subject = z.object({
  postId: Id.optional(),
  parentId: Id.optional(),
  actorId: Id.optional(),
  webhookId: Id.optional(),
})
export type Subject = z.infer<typeof Subject>
export const Body = z.object({ type: z.enum(messageTypes), data: Subject })

/** A message before it is sent. `id` is that of the event, and `body` exactly what every attempt sends. `isOwn`: it is about nobody else. */
export type Message = { id: Id; type: MessageType; body: string; isOwn: boolean }

/** A thin payload: receivers read what they may with the API. */
export function messageOf(id: Id, type: MessageType, data: Subject): Message {
  const body = JSON.stringify({ type, timestamp: isoTimeOf(id), data })
  return { id, type, body, isOwn: data.actorId === undefined }
}
