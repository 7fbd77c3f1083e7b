import type { Notification } from './wire.ts'

type Frames = {
  'post.published': { channel: 'home'; data: { postId: string; authorId: string } }
  notification: { channel: 'notifications'; data: Pick<Notification, 'id' | 'kind'> }
}

/** What the socket sends. Frames contain ids only: read the content through the API. */
export type Frame = { [Event in keyof Frames]: { event: Event; seq: number } & Frames[Event] }[keyof Frames]

export type Channel = Frame['channel']
