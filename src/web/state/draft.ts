import { type Signal, signal } from '@preact/signals'
import type { Media, Post, PostCreation } from '../../client/wire.ts'
import { client } from '../api/client.ts'
import { fetchWithProgress } from '../api/upload.ts'
import { limits } from './limits.ts'

export const IMAGE_TYPES = ['image/jpeg', 'image/png', 'image/webp', 'image/gif']
const MAX_IMAGE_BYTES = 10 * 1024 * 1024

type Visibility = Post['visibility']

/** An image of a draft. It is uploaded with its description when the draft is published. */
export type Attachment = {
  key: number
  file: File
  preview: string
  alt: Signal<string>
  /** The uploaded fraction, from 0 to 1; null before the upload. */
  progress: Signal<number | null>
  /** The uploaded image, with the description it was uploaded with. */
  uploaded: { media: Media; alt: string } | null
}

/** An unpublished post or comment. */
export type Draft = {
  parentId: string | null
  text: Signal<string>
  visibility: Signal<Visibility>
  attachments: Signal<Attachment[]>
  attempt: { body: string; key: string }
}

export function createDraft(parentId: string | null): Draft {
  const attempt = { body: '', key: '' }
  return { parentId, text: signal(''), visibility: signal<Visibility>('public'), attachments: signal([]), attempt }
}

/** Adds images and returns the problems of those it rejects. */
export function attachImages({ attachments }: Draft, files: File[]): string[] {
  const problems = files.flatMap(fileProblems)
  const valid = files.filter((file) => fileProblems(file).length === 0)
  const { postImages } = limits.value
  const free = postImages - attachments.value.length
  if (valid.length > free) problems.push(`A post can have at most ${postImages} images.`)
  attachments.value = [...attachments.value, ...valid.slice(0, free).map(createAttachment)]
  return problems
}

export function removeImage({ attachments }: Draft, attachment: Attachment): void {
  URL.revokeObjectURL(attachment.preview)
  attachments.value = attachments.value.filter((other) => other !== attachment)
}

export function clearDraft(draft: Draft): void {
  for (const attachment of draft.attachments.value) removeImage(draft, attachment)
  draft.text.value = ''
  draft.attempt = { body: '', key: '' }
}

/** Uploads the images, then publishes the post. Safe to call again after a failure. */
export async function publishDraft(draft: Draft): Promise<Post> {
  const { text, visibility, parentId } = draft
  const media = await uploadImages(draft)
  // A comment is sent without a visibility, because it has that of its thread.
  const place = parentId ? { parentId } : { visibility: visibility.value }
  const json: PostCreation = { text: text.value, media, ...place }
  const idempotencyKey = keyFor(draft, JSON.stringify(json))
  const post = await client.createPost(json, { idempotencyKey })
  clearDraft(draft)
  return post
}

/** Uploads the images that are not uploaded yet, and returns the ids of all. */
export async function uploadImages({ attachments }: Draft): Promise<string[]> {
  const media: string[] = []
  for (const attachment of attachments.value) media.push(await upload(attachment))
  return media
}

// Attempts with the same content use the same idempotency key, so that together they create one post.
function keyFor(draft: Draft, body: string): string {
  if (draft.attempt.body !== body) draft.attempt = { body, key: randomKey() }
  return draft.attempt.key
}

let lastKey = 0

function createAttachment(file: File): Attachment {
  lastKey += 1
  const preview = URL.createObjectURL(file)
  return { key: lastKey, file, preview, alt: signal(''), progress: signal<number | null>(null), uploaded: null }
}

/** Why the file cannot be uploaded. */
export function fileProblems(file: File): string[] {
  if (!IMAGE_TYPES.includes(file.type)) return [`${file.name} is not a JPEG, PNG, WebP or GIF image.`]
  return file.size > MAX_IMAGE_BYTES ? [`${file.name} is larger than 10 MB.`] : []
}

async function upload(attachment: Attachment): Promise<string> {
  const { file, progress } = attachment
  const alt = attachment.alt.value.trim()
  if (attachment.uploaded?.alt === alt) return attachment.uploaded.media.id
  const onProgress = (fraction: number) => {
    progress.value = fraction
  }
  onProgress(0)
  try {
    const media = await client.uploadMedia({ file, alt }, { fetch: fetchWithProgress(onProgress) })
    attachment.uploaded = { media, alt }
    onProgress(1)
    return media.id
  } catch (error) {
    progress.value = null
    throw error
  }
}

// crypto.randomUUID exists only in secure contexts, and a page served over HTTP in a local network has none.
function randomKey(): string {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, '0')).join('')
}

const segmenter = new Intl.Segmenter('en')

/** Counts characters as people see them: an emoji of several code points is one. */
export const characterCount = (text: string) => [...segmenter.segment(text)].length
