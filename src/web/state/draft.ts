import { type Signal, signal } from '@preact/signals'
import { call, persistently } from '../api/api.ts'
import type { Media, NewPost, Post } from '../api/wire.ts'
import { limits } from './limits.ts'

export const IMAGE_TYPES = ['image/jpeg', 'image/png', 'image/webp', 'image/gif']
const MAX_IMAGE_BYTES = 10 * 1024 * 1024

/** An image on its way: shown from the file, sent together with its description when the post is. */
export type Attachment = {
  key: number
  file: File
  preview: string
  alt: Signal<string>
  /** The share that has been sent; null before it is. */
  progress: Signal<number | null>
  /** What the server made of it, and under which description. */
  sent: { media: Media; alt: string } | null
}

/** A post or comment in the making. */
export type Draft = {
  parentId: string | null
  text: Signal<string>
  visibility: Signal<Post['visibility']>
  attachments: Signal<Attachment[]>
  attempt: { body: string; key: string }
}

export function newDraft(parentId: string | null): Draft {
  const attempt = { body: '', key: '' }
  return {
    parentId,
    text: signal(''),
    visibility: signal<Post['visibility']>('public'),
    attachments: signal([]),
    attempt,
  }
}

/** Adds images; returns why some cannot be. */
export function attach({ attachments }: Draft, files: File[]): string[] {
  const problems = files.flatMap(refusal)
  const fitting = files.filter((file) => refusal(file).length === 0)
  const { postImages } = limits.value
  const room = postImages - attachments.value.length
  if (fitting.length > room) problems.push(`A post takes ${postImages} images at most.`)
  attachments.value = [...attachments.value, ...fitting.slice(0, room).map(attachmentOf)]
  return problems
}

export function detach({ attachments }: Draft, attachment: Attachment): void {
  URL.revokeObjectURL(attachment.preview)
  attachments.value = attachments.value.filter((other) => other !== attachment)
}

export function clearDraft(draft: Draft): void {
  for (const attachment of draft.attachments.value) detach(draft, attachment)
  draft.text.value = ''
  draft.attempt = { body: '', key: '' }
}

/** Sends the images, then the post. Safe to try again after any failure. */
export async function sendDraft(draft: Draft): Promise<Post> {
  const { text, visibility, attachments, parentId } = draft
  const media: string[] = []
  for (const attachment of attachments.value) media.push(await upload(attachment))
  const json: NewPost = { text: text.value, visibility: visibility.value, media, ...(parentId && { parentId }) }
  const idempotencyKey = keyFor(draft, JSON.stringify(json))
  const post = await persistently(() => call<Post>('POST', '/posts', { json, idempotencyKey }))
  clearDraft(draft)
  return post
}

// The same content keeps its key however often it is sent, so that it becomes one post.
function keyFor(draft: Draft, body: string): string {
  if (draft.attempt.body !== body) draft.attempt = { body, key: randomKey() }
  return draft.attempt.key
}

let count = 0

function attachmentOf(file: File): Attachment {
  count += 1
  const preview = URL.createObjectURL(file)
  return { key: count, file, preview, alt: signal(''), progress: signal<number | null>(null), sent: null }
}

function refusal(file: File): string[] {
  if (!IMAGE_TYPES.includes(file.type)) return [`${file.name} is not a JPEG, PNG, WebP or GIF image.`]
  return file.size > MAX_IMAGE_BYTES ? [`${file.name} is larger than 10 MB.`] : []
}

async function upload(attachment: Attachment): Promise<string> {
  const alt = attachment.alt.value.trim()
  if (attachment.sent?.alt === alt) return attachment.sent.media.id
  const form = new FormData()
  form.set('file', attachment.file)
  form.set('alt', alt)
  attachment.progress.value = 0
  try {
    const onProgress = (share: number) => {
      attachment.progress.value = share
    }
    attachment.sent = { media: await call<Media>('POST', '/media', { form, onProgress }), alt }
    attachment.progress.value = 1
    return attachment.sent.media.id
  } catch (error) {
    attachment.progress.value = null
    throw error
  }
}

// randomUUID is there in secure contexts only, and a page on a home network is none.
function randomKey(): string {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, '0')).join('')
}

const segmenter = new Intl.Segmenter('en')

/** The length as people count it: a flag or a family is one. */
export const graphemes = (text: string) => [...segmenter.segment(text)].length
