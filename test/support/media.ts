import { env } from 'cloudflare:workers'
import type { Id } from '../../src/platform/data/ids.ts'
import { objectKey } from '../../src/services/media/objects.ts'
import type { MediaView } from '../../src/services/media/views.ts'
import type { Post } from '../../src/services/posts/views.ts'
import type { RegisteredUser } from './actors.ts'
import { shards } from './databases.ts'
import { uploadForm, webp } from './images.ts'

const VARIANTS = ['image', 'thumbnail'] as const

export const upload = (user: RegisteredUser, form: FormData, headers: HeadersInit = {}): Promise<Response> =>
  user.fetch('/v1/media', { method: 'POST', body: form, headers })

export const uploaded = async (user: RegisteredUser, image = webp(), alt?: string): Promise<MediaView> =>
  (await upload(user, uploadForm(image, alt))).json()

export const publishWith = (user: RegisteredUser, media: string[], headers: HeadersInit = {}): Promise<Response> =>
  user.fetch('/v1/posts', { method: 'POST', json: { media }, headers })

/** Publishes a post with one image, and returns it as its author sees it. */
export async function postWithImage(
  author: RegisteredUser,
  visibility: 'public' | 'followers',
  parentId?: string,
): Promise<Post & { image: MediaView }> {
  const { id } = await uploaded(author)
  const json = { media: [id], ...(parentId ? { parentId } : { visibility }) }
  const post: Post = await (await author.fetch('/v1/posts', { method: 'POST', json })).json()
  return { ...post, image: post.media[0]! }
}

/** The path of an image's URL, without the signature. */
export const unsignedPath = ({ id }: { id: string }): string => `/v1/media/${id}/image`

export const objectKeysOf = async (mediaId: string): Promise<string[]> =>
  (await env.MEDIA.list({ prefix: `media/${mediaId}/` })).objects.map(({ key }) => key)

export const objectCountOf = async (mediaId: string): Promise<number> => (await objectKeysOf(mediaId)).length

export async function putObjects(mediaId: Id): Promise<void> {
  await Promise.all(VARIANTS.map((variant) => env.MEDIA.put(objectKey(mediaId, variant), 'x')))
}

export async function deleteObjects(mediaId: Id): Promise<void> {
  await Promise.all(VARIANTS.map((variant) => env.MEDIA.delete(objectKey(mediaId, variant))))
}

/** The row of an image, or null if no shard has such a row. */
export async function mediaRow(mediaId: string): Promise<Record<string, unknown> | null> {
  const query = 'select * from media where id = ?'
  const rows = await Promise.all(shards.map((db) => db.prepare(query).bind(Number(mediaId)).first()))
  return rows.find((row) => row !== null) ?? null
}
