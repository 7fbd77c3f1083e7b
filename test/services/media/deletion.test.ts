import { env } from 'cloudflare:workers'
import { beforeAll, expect, test, vi } from 'vitest'
import { createContext } from '../../../src/platform/create-context.ts'
import { firstIdAt, type Id, newId, shardOf } from '../../../src/platform/data/ids.ts'
import { mediaJobs } from '../../../src/services/media/jobs.ts'
import type { Post } from '../../../src/services/posts/views.ts'
import { type RegisteredUser, registeredUser } from '../../support/actors.ts'
import { shardHolding } from '../../support/databases.ts'
import {
  deleteObjects,
  mediaRow,
  objectCountOf,
  publishWith,
  putObjects,
  unsignedPath,
  uploaded,
} from '../../support/media.ts'
import { drained } from '../../support/outboxes.ts'
import { until } from '../../support/until.ts'

const HOUR_MS = 3_600_000

let ada: RegisteredUser
beforeAll(async () => {
  ada = await registeredUser()
})

/** Whether the image has a row, and how many R2 objects the image has. */
const storedOf = async (mediaId: string): Promise<[hasRow: boolean, objects: number]> => [
  (await mediaRow(mediaId)) !== null,
  await objectCountOf(mediaId),
]

/** Stores an image of Ada. According to its id, it was uploaded `hoursAgo`. */
async function oldImage(hoursAgo: number, postId: number | null = null): Promise<Id> {
  const id = newId(shardOf(ada.id), Date.now() - hoursAgo * HOUR_MS)
  await putObjects(id)
  const insert = shardHolding(ada.id).prepare(
    "insert into media (id, account_id, post_id, alt, width, height, placeholder, animated) values (?, ?, ?, '', 1, 1, '', 0)",
  )
  await insert.bind(Number(id), Number(ada.id), postId).run()
  return id
}

async function runJobs(): Promise<void> {
  const ctx = createContext({ env, waitUntil: () => {}, start: 'first-primary' })
  for (const job of mediaJobs) {
    if (!job.perShard) await job.run(ctx)
    else for (const shard of ctx.db.shards) await job.run(ctx, ctx.db.shard(shard))
  }
}

test('deleting a post hides its images at once and then deletes their rows and objects', async () => {
  const [image, kept] = [await uploaded(ada), await uploaded(ada)]
  const post: Post = await (await publishWith(ada, [image.id])).json()
  await publishWith(ada, [kept.id])
  expect((await ada.fetch(`/v1/posts/${post.id}`, { method: 'DELETE' })).status).toBe(204)
  expect((await ada.fetch(unsignedPath(image))).status).toBe(404)
  await drained()
  expect(await storedOf(image.id)).toEqual([false, 0])
  expect(await storedOf(kept.id)).toEqual([true, 2])
})

test('the hourly job deletes images without a post a day after the upload, and no other images', async () => {
  const [old, recent, attached] = [await oldImage(25), await oldImage(23), await oldImage(200, 12_345)]
  await runJobs()
  expect(await storedOf(old)).toEqual([false, 0])
  for (const id of [recent, attached]) expect(await storedOf(id)).toEqual([true, 2])
  await Promise.all([deleteObjects(recent), deleteObjects(attached)])
})

test('objects that R2 failed to delete are deleted by the next hourly job', async () => {
  const image = await uploaded(ada)
  const failing = vi.spyOn(env.MEDIA, 'delete').mockRejectedValue(new Error('R2 is down'))
  expect((await ada.fetch(`/v1/media/${image.id}`, { method: 'DELETE' })).status).toBe(204)
  await until(() => failing.mock.calls.length > 0)
  failing.mockRestore()
  expect((await ada.fetch(unsignedPath(image))).status).toBe(404)
  expect(await objectCountOf(image.id)).toBe(2)
  await runJobs()
  expect(await storedOf(image.id)).toEqual([false, 0])
})

test('the hourly job deletes R2 objects over an hour old without a media row and resumes in the next run', async () => {
  await env.CACHE.put('media:checked-objects', 'media/999999999999999/image.webp')
  const orphans = [2, 3, 30].map((hours) => newId(hours % 2, Date.now() - hours * HOUR_MS))
  const recent = newId(0, Date.now() - HOUR_MS / 2)
  const ofUnknownShard = newId(63, Date.now() - 2 * HOUR_MS)
  const withRow = await oldImage(4, 12_345)
  await Promise.all([...orphans, recent, ofUnknownShard].map(putObjects))
  await runJobs()
  for (const id of orphans) expect(await objectCountOf(id)).toBe(0)
  for (const id of [recent, ofUnknownShard, withRow]) expect(await objectCountOf(id)).toBe(2)

  const list = vi.spyOn(env.MEDIA, 'list')
  await runJobs()
  const resumedAt = Number(String(list.mock.calls[0]![0]!.startAfter).split('/')[1])
  expect(resumedAt).toBeGreaterThan(Number(firstIdAt(Date.now() - 3 * HOUR_MS)))
  list.mockRestore()
})

test('the hourly job deletes R2 objects without a media row on every page of the R2 listing', async () => {
  await env.CACHE.delete('media:checked-objects')
  const orphans = Array.from({ length: 501 }, (_, i) => newId(0, Date.now() - 2 * HOUR_MS - i * 10))
  await Promise.all(orphans.map(putObjects))
  await runJobs()
  const { objects } = await env.MEDIA.list({ prefix: 'media/' })
  const left = new Set(objects.map(({ key }) => key.split('/')[1]!))
  expect(orphans.filter((id) => left.has(id))).toEqual([])
})

test('updates of images by post, and of unattached images by age, use the index media_by_post', async () => {
  const planOf = async (query: string) => {
    const { results } = await env.SHARD_0.prepare(`explain query plan ${query}`).all<{ detail: string }>()
    return results.map((step) => step.detail)
  }
  expect(await planOf('update media set post_id = 0 where post_id = 5')).toEqual([
    expect.stringMatching(/SEARCH media USING .*INDEX media_by_post \(post_id=\?\)/),
  ])
  expect(await planOf('update media set post_id = 0 where post_id is null and id < 5')).toEqual([
    expect.stringMatching(/SEARCH media USING .*INDEX media_by_post \(post_id=\? AND rowid<\?\)/),
  ])
})
