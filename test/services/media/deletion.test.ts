import { env } from 'cloudflare:workers'
import { beforeAll, expect, test, vi } from 'vitest'
import { createContext } from '../../../src/platform/context.ts'
import { firstIdAt, type Id, newId } from '../../../src/platform/data/ids.ts'
import { mediaJobs } from '../../../src/services/media/jobs.ts'
import { objectKey } from '../../../src/services/media/objects.ts'
import { attachMedia, refuseAttached } from '../../../src/services/media/statements.ts'
import type { MediaView } from '../../../src/services/media/views.ts'
import type { Post } from '../../../src/services/posts/views.ts'
import { uploadForm, webp } from '../../support/images.ts'
import { type Person, register, settled } from '../../support/people.ts'

const HOUR_MS = 3_600_000
const shards = [env.SHARD_0, env.SHARD_1]
const context = () => createContext({ env, waitUntil: () => {}, start: 'first-primary' })

let ada: Person
let bob: Person
beforeAll(async () => {
  ;[ada, bob] = await Promise.all([register(), register()])
})

async function uploaded(who: Person): Promise<MediaView> {
  const response = await who.fetch('/v1/media', { method: 'POST', body: uploadForm(webp()) })
  return (await response.json()) as MediaView
}

const publish = (who: Person, media: string[], headers: HeadersInit = {}) =>
  who.fetch('/v1/posts', { method: 'POST', json: { media }, headers })
const objects = async (id: string) => (await env.MEDIA.list({ prefix: `media/${id}/` })).objects.length
const remove = (id: string) =>
  Promise.all(['image', 'thumbnail'].map((v) => env.MEDIA.delete(objectKey(id as Id, v as 'image'))))
const put = (id: Id) => Promise.all(['image', 'thumbnail'].map((v) => env.MEDIA.put(objectKey(id, v as 'image'), 'x')))

async function row(id: string): Promise<Record<string, unknown> | null> {
  const found = await Promise.all(
    shards.map((db) => db.prepare('select * from media where id = ?').bind(Number(id)).first()),
  )
  return found.find((one) => one !== null) ?? null
}

/** A row of ada's that was made some hours ago, with its objects. */
async function aged(hours: number, postId: number | null = null): Promise<Id> {
  const shard = Math.floor(Number(ada.id) / 512) % 64
  const id = newId(shard, Date.now() - hours * HOUR_MS)
  await put(id)
  const insert = shards[shard]!.prepare("insert into media values (?, ?, ?, '', 1, 1, '')")
  await insert.bind(Number(id), Number(ada.id), postId).run()
  return id
}

async function runJobs(): Promise<void> {
  const ctx = context()
  for (const job of mediaJobs) await job.run(ctx)
}

test('a post takes its images in the order that it names them', async () => {
  const [a, b, c] = [await uploaded(ada), await uploaded(ada), await uploaded(ada)]
  const post = (await (await publish(ada, [c!.id, a!.id, b!.id])).json()) as Post
  expect(post.media.map((image) => image.id)).toEqual([c!.id, a!.id, b!.id])
  for (const image of post.media) expect(await row(image.id)).toMatchObject({ post_id: Number(post.id) })
})

test('a post is refused an image that is another’s, twice there, taken, dropped or nowhere, and is not made', async () => {
  const [mine, foreign, taken, dropped] = [
    await uploaded(ada),
    await uploaded(bob),
    await uploaded(ada),
    await uploaded(ada),
  ]
  expect((await publish(ada, [taken.id])).status).toBe(201)
  await ada.fetch(`/v1/media/${dropped.id}`, { method: 'DELETE' })
  const before = await (await ada.fetch('/v1/accounts/me')).json()
  for (const media of [
    [mine.id, foreign.id],
    [mine.id, mine.id],
    [mine.id, taken.id],
    [mine.id, dropped.id],
    [mine.id, String(Number(mine.id) + 1)],
  ]) {
    const response = await publish(ada, media)
    expect(response.status).toBe(422)
    expect(await response.json()).toMatchObject({ errors: [{ field: 'media' }] })
  }
  expect(await (await ada.fetch('/v1/accounts/me')).json()).toEqual(before)
  expect(await row(mine.id)).toMatchObject({ post_id: null })
})

test('of two posts that take one image at the same time, one is made', async () => {
  const [shared, ...own] = [await uploaded(ada), await uploaded(ada), await uploaded(ada), await uploaded(ada)]
  const answers = await Promise.all(own.map((image) => publish(ada, [image.id, shared!.id])))
  expect(answers.map((answer) => answer.status).sort()).toEqual([201, 422, 422])
  const rows = await Promise.all(own.map((image) => row(image.id)))
  expect(rows.filter((one) => one!.post_id === null)).toHaveLength(2)
})

test('a post repeated with its key answers with the first, though its image is taken by then', async () => {
  const image = await uploaded(ada)
  const headers = { 'idempotency-key': 'with-image' }
  const [first, second] = [await publish(ada, [image.id], headers), await publish(ada, [image.id], headers)]
  expect([first.status, second.status]).toEqual([201, 201])
  expect(((await second.json()) as Post).id).toBe(((await first.json()) as Post).id)
})

test('the statements that take images fail the batch they are in, unless they take every one', async () => {
  const db = context().db.shardOf(ada.id as Id)
  const image = await uploaded(ada)
  const take = (accountId: string, ids: string[]) =>
    db
      .batch([
        db.run('select 1'),
        ...attachMedia(db, { postId: '5' as Id, accountId: accountId as Id, ids: ids as Id[] }),
      ])
      .catch(refuseAttached)
  await expect(take(bob.id, [image.id])).rejects.toMatchObject({ code: 'invalid' })
  await expect(take(ada.id, [image.id, '7'])).rejects.toMatchObject({ code: 'invalid' })
  expect(await row(image.id)).toMatchObject({ post_id: null })
  await take(ada.id, [image.id])
  expect(await row(image.id)).toMatchObject({ post_id: 5 })
  await expect(take(ada.id, [image.id])).rejects.toMatchObject({ code: 'invalid' })
})

test('an image that a post has taken is neither described anew nor deleted by itself', async () => {
  const image = await uploaded(ada)
  await publish(ada, [image.id])
  const json = { alt: 'other' }
  expect((await ada.fetch(`/v1/media/${image.id}`, { method: 'PATCH', json })).status).toBe(404)
  expect((await ada.fetch(`/v1/media/${image.id}`, { method: 'DELETE' })).status).toBe(404)
  expect(await objects(image.id)).toBe(2)
})

test('with a post go its images: at once from sight, then from the database and from R2', async () => {
  const [image, kept] = [await uploaded(ada), await uploaded(ada)]
  const post = (await (await publish(ada, [image.id])).json()) as Post
  await publish(ada, [kept.id])
  expect((await ada.fetch(`/v1/posts/${post.id}`, { method: 'DELETE' })).status).toBe(204)
  expect((await ada.fetch(`/v1/media/${image.id}/image`)).status).toBe(404)
  await settled()
  expect([await row(image.id), await objects(image.id)]).toEqual([null, 0])
  expect([await objects(kept.id), (await row(kept.id)) !== null]).toEqual([2, true])
})

test('the hourly job removes what waited a day for a post, and nothing else', async () => {
  const [old, fresh, taken] = [await aged(25), await aged(23), await aged(200, 12_345)]
  await runJobs()
  expect([await row(old), await objects(old)]).toEqual([null, 0])
  for (const id of [fresh, taken]) expect([(await row(id)) !== null, await objects(id)]).toEqual([true, 2])
  await Promise.all([remove(fresh), remove(taken)])
})

test('what R2 would not delete is deleted by the next hourly job', async () => {
  const image = await uploaded(ada)
  const broken = vi.spyOn(env.MEDIA, 'delete').mockRejectedValue(new Error('R2 is down'))
  expect((await ada.fetch(`/v1/media/${image.id}`, { method: 'DELETE' })).status).toBe(204)
  await vi.waitUntil(() => broken.mock.calls.length > 0)
  broken.mockRestore()
  expect((await ada.fetch(`/v1/media/${image.id}/image`)).status).toBe(404)
  expect(await objects(image.id)).toBe(2)
  await runJobs()
  expect([await row(image.id), await objects(image.id)]).toEqual([null, 0])
})

test('an upload that died before its row leaves objects for an hour or two', async () => {
  await env.CACHE.put('media:checked-objects', 'media/999999999999999/image.webp')
  const orphans = [2, 3, 30].map((hours) => newId(hours % 2, Date.now() - hours * HOUR_MS))
  const underWay = newId(0, Date.now() - HOUR_MS / 2)
  const elsewhere = newId(63, Date.now() - 2 * HOUR_MS)
  const whole = await aged(4, 12_345)
  await Promise.all([...orphans, underWay, elsewhere].map(put))
  await runJobs()
  for (const id of orphans) expect(await objects(id)).toBe(0)
  for (const id of [underWay, elsewhere, whole]) expect(await objects(id)).toBe(2)

  const list = vi.spyOn(env.MEDIA, 'list')
  await runJobs()
  expect(Number(String(list.mock.calls[0]![0]!.startAfter).split('/')[1])).toBeGreaterThan(
    Number(firstIdAt(Date.now() - 3 * HOUR_MS)),
  )
  list.mockRestore()
})

test('objects of dead uploads are found on whatever page of the listing they stand', async () => {
  await env.CACHE.delete('media:checked-objects')
  const orphans = Array.from({ length: 251 }, (_, i) => newId(0, Date.now() - 2 * HOUR_MS - i * 10))
  await Promise.all(orphans.map(put))
  await runJobs()
  const { objects } = await env.MEDIA.list({ prefix: 'media/' })
  const left = new Set(objects.map(({ key }) => key.split('/')[1]!))
  expect(orphans.filter((id) => left.has(id))).toEqual([])
})

test('media are found by their post, and those that wait by their age, without reading the rest', async () => {
  const plan = async (query: string) =>
    (await env.SHARD_0.prepare(`explain query plan ${query}`).all<{ detail: string }>()).results.map(
      (step) => step.detail,
    )
  expect(await plan('update media set post_id = 0 where post_id = 5')).toEqual([
    expect.stringMatching(/SEARCH media USING .*INDEX media_by_post \(post_id=\?\)/),
  ])
  expect(await plan('update media set post_id = 0 where post_id is null and id < 5')).toEqual([
    expect.stringMatching(/SEARCH media USING .*INDEX media_by_post \(post_id=\? AND rowid<\?\)/),
  ])
})
