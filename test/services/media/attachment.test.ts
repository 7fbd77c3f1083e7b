import { env } from 'cloudflare:workers'
import { beforeAll, expect, test } from 'vitest'
import { createContext } from '../../../src/platform/create-context.ts'
import { refusals } from '../../../src/platform/data/conditions.ts'
import { type Id, toId } from '../../../src/platform/data/ids.ts'
import { attachMedia, attachRefusals } from '../../../src/services/media/statements.ts'
import type { Post } from '../../../src/services/posts/views.ts'
import { type RegisteredUser, registeredUser } from '../../support/actors.ts'
import { mediaRow, objectCountOf, publishWith, uploaded } from '../../support/media.ts'

let ada: RegisteredUser
let bob: RegisteredUser
beforeAll(async () => {
  ;[ada, bob] = await Promise.all([registeredUser(), registeredUser()])
})

test('a post has its images in the given order', async () => {
  const [a, b, c] = [await uploaded(ada), await uploaded(ada), await uploaded(ada)]
  const post: Post = await (await publishWith(ada, [c.id, a.id, b.id])).json()
  expect(post.media.map((image) => image.id)).toEqual([c.id, a.id, b.id])
  for (const image of post.media) expect(await mediaRow(image.id)).toMatchObject({ post_id: Number(post.id) })
})

test('publishing returns 422 if an image is repeated, attached to another post, deleted, missing or owned by another user', async () => {
  const [own, foreign] = [await uploaded(ada), await uploaded(bob)]
  const [attached, deleted] = [await uploaded(ada), await uploaded(ada)]
  expect((await publishWith(ada, [attached.id])).status).toBe(201)
  await ada.fetch(`/v1/media/${deleted.id}`, { method: 'DELETE' })
  const before = await (await ada.fetch('/v1/accounts/me')).json()
  const missing = String(Number(own.id) + 1)
  for (const other of [foreign.id, own.id, attached.id, deleted.id, missing]) {
    const response = await publishWith(ada, [own.id, other])
    expect(response.status).toBe(422)
    expect(await response.json()).toMatchObject({ errors: [{ field: 'media' }] })
  }
  expect(await (await ada.fetch('/v1/accounts/me')).json()).toEqual(before)
  expect(await mediaRow(own.id)).toMatchObject({ post_id: null })
})

test('one of three concurrent posts with the same image is created, and the others return 422', async () => {
  const shared = await uploaded(ada)
  const own = [await uploaded(ada), await uploaded(ada), await uploaded(ada)]
  const responses = await Promise.all(own.map((image) => publishWith(ada, [image.id, shared.id])))
  expect(responses.map(({ status }) => status).sort()).toEqual([201, 422, 422])
  const rows = await Promise.all(own.map((image) => mediaRow(image.id)))
  expect(rows.filter((row) => row!.post_id === null)).toHaveLength(2)
})

test('retrying a post with its idempotency key returns the first post although the image is now attached', async () => {
  const image = await uploaded(ada)
  const headers = { 'idempotency-key': 'with-image' }
  const [first, second] = [await publishWith(ada, [image.id], headers), await publishWith(ada, [image.id], headers)]
  expect([first.status, second.status]).toEqual([201, 201])
  expect((await second.json<Post>()).id).toBe((await first.json<Post>()).id)
})

test('a batch that attaches images to a post fails unless it attaches every given image', async () => {
  const db = createContext({ env, waitUntil: () => {}, start: 'first-primary' }).db.shardOf(ada.id)
  const image = await uploaded(ada)
  const attach = (accountId: Id, ids: Id[]) =>
    db
      .batch([db.run('select 1'), ...attachMedia(db, { postId: toId(5), accountId, ids })])
      .catch(refusals(attachRefusals))
  await expect(attach(bob.id, [image.id])).rejects.toMatchObject({ code: 'invalid' })
  await expect(attach(ada.id, [image.id, toId(7)])).rejects.toMatchObject({ code: 'invalid' })
  expect(await mediaRow(image.id)).toMatchObject({ post_id: null })
  await attach(ada.id, [image.id])
  expect(await mediaRow(image.id)).toMatchObject({ post_id: 5 })
  await expect(attach(ada.id, [image.id])).rejects.toMatchObject({ code: 'invalid' })
})

test('deleting an attached image returns 404', async () => {
  const image = await uploaded(ada)
  await publishWith(ada, [image.id])
  expect((await ada.fetch(`/v1/media/${image.id}`, { method: 'DELETE' })).status).toBe(404)
  expect(await objectCountOf(image.id)).toBe(2)
})
