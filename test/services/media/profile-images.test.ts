import { env } from 'cloudflare:workers'
import { beforeEach, expect, test, vi } from 'vitest'
import type { UserCtx } from '../../../src/platform/context.ts'
import { createContext } from '../../../src/platform/create-context.ts'
import type { Account, AccountSummary } from '../../../src/services/accounts/views.ts'
import { mediaJobs } from '../../../src/services/media/jobs.ts'
import { deleteAvatar, setAvatar } from '../../../src/services/media/profile-images.ts'
import { IN_PROFILE } from '../../../src/services/media/tables.ts'
import type { Post } from '../../../src/services/posts/views.ts'
import { markSuspended, type RegisteredUser, registeredUser } from '../../support/actors.ts'
import { animatedGif } from '../../support/animations.ts'
import { anonymousClient } from '../../support/client.ts'
import { countRows } from '../../support/databases.ts'
import { jpeg, png, uploadForm } from '../../support/images.ts'
import { mediaRow, objectCountOf, publishWith } from '../../support/media.ts'
import { drained } from '../../support/outboxes.ts'
import { until } from '../../support/until.ts'
import { asUser } from '../../support/viewers.ts'

type Place = 'avatar' | 'header'

const { fetch: anonymously } = anonymousClient()
const statusOf = async (response: Promise<Response>) => (await response).status
const idOf = (url: string | null) => url!.split('/')[3]!
const put = (user: RegisteredUser, place: Place, image = jpeg({ width: 900, height: 600 })) =>
  user.fetch(`/v1/accounts/me/${place}`, { method: 'PUT', body: uploadForm(image) })
const set = async (user: RegisteredUser, place: Place, image?: Uint8Array<ArrayBuffer>): Promise<Account> =>
  (await put(user, place, image)).json()
const remove = (user: RegisteredUser, place: Place) => user.fetch(`/v1/accounts/me/${place}`, { method: 'DELETE' })
const profileOf = async (user: RegisteredUser): Promise<Account> => (await user.fetch('/v1/accounts/me')).json()
const isGone = async (mediaId: string) => (await objectCountOf(mediaId)) === 0 && (await mediaRow(mediaId)) === null

let ada: RegisteredUser
let bob: RegisteredUser
beforeEach(async () => {
  ;[ada, bob] = await Promise.all([registeredUser(), registeredUser()])
})

test('an avatar is stored as two squares, and a header image three times as wide as high', async () => {
  expect(await profileOf(ada)).toMatchObject({ avatarUrl: null, headerUrl: null })
  await set(ada, 'avatar')
  const { avatarUrl, headerUrl } = await set(ada, 'header', png({ width: 64, height: 48 }))
  expect(await profileOf(ada)).toMatchObject({ avatarUrl, headerUrl })
  for (const [path, width, height] of [
    [avatarUrl!, 400, 400],
    [avatarUrl!.replace(/image$/, 'thumbnail'), 96, 96],
    [headerUrl!, 1_500, 500],
    [headerUrl!.replace(/image$/, 'thumbnail'), 600, 200],
  ] as const) {
    const response = await anonymously(path)
    expect(response.headers.get('cache-control')).toBe('public, max-age=300, must-revalidate')
    expect(await env.IMAGES.info(new Blob([await response.arrayBuffer()]).stream())).toMatchObject({ width, height })
  }
})

test('an avatar appears wherever its account does: posts, comments, notifications, followers and blocks', async () => {
  const { avatarUrl } = await set(ada, 'avatar')
  const post: Post = await (await ada.fetch('/v1/posts', { method: 'POST', json: { text: 'hello' } })).json()
  const own: Post = await (await bob.fetch('/v1/posts', { method: 'POST', json: { text: 'hi' } })).json()
  await ada.fetch(`/v1/accounts/${bob.id}/follow`, { method: 'PUT' })
  await ada.fetch('/v1/posts', { method: 'POST', json: { text: 'a comment', parentId: own.id } })
  await drained()
  const read = async (path: string) => JSON.stringify(await (await bob.fetch(`/v1${path}`)).json())
  const shown: AccountSummary = post.author
  expect(shown.avatarUrl).toBe(avatarUrl)
  const account = `"id":"${ada.id}","handle":"${ada.handle}","displayName":"${ada.handle}","avatarUrl":"${avatarUrl}"`
  for (const path of [
    `/posts/${post.id}`,
    `/posts/${own.id}/comments`,
    `/accounts/${ada.id}/posts`,
    '/feeds/public',
    '/notifications',
  ]) {
    expect(await read(path)).toContain(account)
  }
  for (const path of [`/accounts/${ada.id}`, `/accounts/${bob.id}/followers`]) {
    expect(await read(path)).toContain(`"avatarUrl":"${avatarUrl}"`)
  }
  await bob.fetch(`/v1/accounts/${ada.id}/block`, { method: 'PUT' })
  expect(await read('/accounts/me/blocks')).toContain(account)
})

test.each(['avatar', 'header'] as const)(
  'a replaced or deleted %s is deleted from R2 and from the database',
  async (place) => {
    const first = idOf((await set(ada, place))[`${place}Url`])
    const second = idOf((await set(ada, place))[`${place}Url`])
    await until(() => isGone(first))
    expect(await statusOf(anonymously(`/v1/media/${first}/image`))).toBe(404)
    expect(await objectCountOf(second)).toBe(2)
    for (const _ of [1, 2]) expect(await statusOf(remove(ada, place))).toBe(204)
    expect(await statusOf(anonymously(`/v1/media/${second}/image`))).toBe(404)
    await until(() => isGone(second))
    expect(await profileOf(ada)).toMatchObject({ avatarUrl: null, headerUrl: null })
  },
)

test('concurrent replacements leave one avatar, and the header image stays', async () => {
  const { headerUrl } = await set(ada, 'header')
  await Promise.all(Array.from({ length: 4 }, () => set(ada, 'avatar')))
  await until(async () => (await countRows('media', { account_id: ada.id })) === 2)
  const profile = await profileOf(ada)
  expect(profile.headerUrl).toBe(headerUrl)
  for (const url of [profile.avatarUrl, headerUrl]) {
    expect([await objectCountOf(idOf(url)), await statusOf(anonymously(url!))]).toEqual([2, 200])
  }
})

test('the hourly job deletes replaced avatars that R2 failed to delete, and keeps the current one', async () => {
  const old = idOf((await set(ada, 'avatar')).avatarUrl)
  const failing = vi.spyOn(env.MEDIA, 'delete').mockRejectedValue(new Error('R2 is down'))
  const current = idOf((await set(ada, 'avatar')).avatarUrl)
  await until(() => failing.mock.calls.length > 0)
  failing.mockRestore()
  expect(await objectCountOf(old)).toBe(2)
  vi.spyOn(Date, 'now').mockReturnValue(Date.now() + 48 * 3_600_000)
  const ctx = createContext({ env, waitUntil: () => {}, start: 'first-primary' })
  for (const job of mediaJobs) {
    for (const db of job.perShard ? ctx.db.shards.map(ctx.db.shard) : [undefined]) await job.run(ctx, db as never)
  }
  vi.restoreAllMocks()
  expect(await isGone(old)).toBe(true)
  expect(await objectCountOf(current)).toBe(2)
})

test('an animated or broken file is refused with its reason, and the avatar stays', async () => {
  const { avatarUrl } = await set(ada, 'avatar')
  for (const [image, message] of [
    [animatedGif(), 'must not be animated'],
    [jpeg({ width: 256, height: 256 }).slice(0, 500), 'is truncated: its end is missing'],
  ] as const) {
    for (const place of ['avatar', 'header'] as const) {
      const response = await put(ada, place, image)
      expect([response.status, await response.json()]).toEqual([
        422,
        expect.objectContaining({ errors: [{ field: 'file', message }] }),
      ])
    }
  }
  expect(await profileOf(ada)).toMatchObject({ avatarUrl, headerUrl: null })
})

test('the avatar of a suspended account returns 404, and that of a blocker does for the blocked account', async () => {
  const { avatarUrl } = await set(ada, 'avatar')
  await ada.fetch(`/v1/accounts/${bob.id}/block`, { method: 'PUT' })
  expect(await statusOf(bob.fetch(avatarUrl!))).toBe(404)
  expect(await statusOf(anonymously(avatarUrl!))).toBe(200)
  const headers = { 'if-none-match': `"${idOf(avatarUrl)}-image"` }
  expect(await statusOf(anonymously(avatarUrl!, { headers }))).toBe(304)
  await markSuspended(ada.id)
  expect(await statusOf(anonymously(avatarUrl!, { headers }))).toBe(404)
})

test('an avatar cannot be attached to a post, described or deleted as an image of a post', async () => {
  const id = idOf((await set(ada, 'avatar')).avatarUrl)
  expect(await statusOf(publishWith(ada, [id]))).toBe(422)
  expect(await statusOf(ada.fetch(`/v1/media/${id}`, { method: 'PATCH', json: { alt: 'me' } }))).toBe(404)
  expect(await statusOf(ada.fetch(`/v1/media/${id}`, { method: 'DELETE' }))).toBe(404)
  expect(await mediaRow(id)).toMatchObject({ post_id: Number(IN_PROFILE), alt: '' })
})

test('reading an avatar takes one round trip and at most four rows', async () => {
  const { avatarUrl } = await set(ada, 'avatar')
  for (const request of [anonymously(avatarUrl!), bob.fetch(avatarUrl!)]) {
    const cost: { trips: number; rowsRead: number } = JSON.parse((await request).headers.get('x-cost')!)
    expect(cost).toMatchObject({ trips: 1, directoryTrips: 0, rowsWritten: 0 })
    expect(cost.rowsRead).toBeLessThanOrEqual(4)
  }
})

test('replacing an avatar takes two round trips before the response, and deleting it takes one', async () => {
  const file = new File([jpeg()], 'me.jpg')
  await set(ada, 'avatar')
  const costOf = async (run: (ctx: UserCtx) => Promise<unknown>) => {
    const ctx: UserCtx = { ...asUser(ada.id), defer: () => {} }
    await run(ctx)
    return ctx.cost
  }
  const replaced = await costOf((ctx) => setAvatar(ctx, { file }))
  expect(replaced).toMatchObject({ trips: 2, rowsWritten: 7, objectCalls: 0, queueMessages: 0 })
  expect(replaced.rowsRead).toBeLessThanOrEqual(12)
  const deleted = await costOf(deleteAvatar)
  expect(deleted).toMatchObject({ trips: 1, rowsWritten: 3, objectCalls: 0, queueMessages: 0 })
  expect(deleted.rowsRead).toBeLessThanOrEqual(8)
})
