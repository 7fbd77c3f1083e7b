import { env } from 'cloudflare:workers'
import { beforeAll, beforeEach, expect, test, vi } from 'vitest'
import { asViewer } from '../../../src/platform/context.ts'
import { createContext } from '../../../src/platform/create-context.ts'
import { mediaUrls } from '../../../src/services/media/views.ts'
import type { Post } from '../../../src/services/posts/views.ts'
import { markSuspended, type RegisteredUser, registeredUser } from '../../support/actors.ts'
import { anonymousClient } from '../../support/client.ts'
import { postWithImage, unsignedPath, uploaded } from '../../support/media.ts'
import { drained } from '../../support/outboxes.ts'

const { fetch: anonymously } = anonymousClient()
const statusOf = async (response: Promise<Response>) => (await response).status

let ada: RegisteredUser
let follower: RegisteredUser
let stranger: RegisteredUser
beforeAll(async () => {
  ;[ada, stranger] = await Promise.all([registeredUser(), registeredUser()])
})
beforeEach(async () => {
  follower = await registeredUser()
  await follower.fetch(`/v1/accounts/${ada.id}/follow`, { method: 'PUT' })
  await drained()
})

/** The URL of the post's image in the response to this user. */
async function imageUrlFor(user: RegisteredUser, postId: string): Promise<string> {
  const post: Post = await (await user.fetch(`/v1/posts/${postId}`)).json()
  return post.media[0]!.url
}

test('an image without a post is served only to its owner and by the URL signed for the owner', async () => {
  const image = await uploaded(ada)
  expect(await statusOf(ada.fetch(unsignedPath(image)))).toBe(200)
  expect(await statusOf(anonymously(image.url))).toBe(200)
  expect(await statusOf(follower.fetch(unsignedPath(image)))).toBe(404)
  expect(await statusOf(anonymously(unsignedPath(image)))).toBe(404)
})

test('the image of a public post has an unsigned URL that caches keep for five minutes and then revalidate', async () => {
  const { image } = await postWithImage(ada, 'public')
  expect(image.url).toBe(unsignedPath(image))
  for (const response of [
    await anonymously(image.url),
    await stranger.fetch(image.url),
    await anonymously(image.thumbnailUrl),
  ]) {
    expect(response.status).toBe(200)
    expect(response.headers.get('cache-control')).toBe('public, max-age=300, must-revalidate')
  }
})

test('an image of a followers-only post is served only to author and followers, by token or signed URL', async () => {
  const { id, image } = await postWithImage(ada, 'followers')
  for (const request of [
    anonymously(image.url),
    anonymously(await imageUrlFor(follower, id)),
    ada.fetch(unsignedPath(image)),
    follower.fetch(unsignedPath(image)),
  ]) {
    const response = await request
    expect(response.status).toBe(200)
    expect(response.headers.get('cache-control')).toBe('private, max-age=300, must-revalidate')
  }
  expect(await statusOf(stranger.fetch(unsignedPath(image)))).toBe(404)
  expect(await statusOf(anonymously(unsignedPath(image)))).toBe(404)
})

test('a request for an invisible image gets exactly the response of a missing image', async () => {
  const root = await postWithImage(ada, 'followers')
  const comment = await postWithImage(follower, 'public', root.id)
  const variable = ['x-request-id', 'ratelimit', 'x-cost']
  const observe = async (id: string) => {
    const response = await stranger.fetch(unsignedPath({ id }))
    const headers = [...response.headers].filter(([name]) => !variable.includes(name))
    return { status: response.status, headers, body: (await response.text()).replaceAll(id, '') }
  }
  const missing = await observe(String(Number(root.image.id) - 1))
  expect(missing.status).toBe(404)
  for (const { image } of [root, comment]) expect(await observe(image.id)).toEqual(missing)
})

test('a signed image URL that is altered, incomplete, expired or used by another account returns 404', async () => {
  const { id, image } = await postWithImage(ada, 'followers')
  const other = await postWithImage(ada, 'followers')
  const url = await imageUrlFor(follower, id)
  const query = new URLSearchParams(url.split('?')[1])
  const altered = (changes: Record<string, string | null>, of = image) => {
    const next = new URLSearchParams(query)
    for (const [name, value] of Object.entries(changes)) value === null ? next.delete(name) : next.set(name, value)
    return `${unsignedPath(of)}?${next}`
  }
  expect(await statusOf(anonymously(altered({})))).toBe(200)
  const signature = query.get('signature')!
  const forged = [
    altered({ viewer: ada.id }),
    altered({ viewer: stranger.id }),
    altered({ viewer: 'x' }),
    altered({ expires: String(Number(query.get('expires')) + 60) }),
    altered({ signature: signature.startsWith('A') ? `B${signature.slice(1)}` : `A${signature.slice(1)}` }),
    altered({ signature: '' }),
    altered({ signature: null }),
    altered({ viewer: null }),
    altered({ expires: null }),
    altered({}, other.image),
  ]
  for (const path of forged) expect([path, await statusOf(anonymously(path))]).toEqual([path, 404])
  expect(await statusOf(stranger.fetch(url))).toBe(404)

  const clock = vi.spyOn(Date, 'now').mockReturnValue(Number(query.get('expires')) * 1_000 + 1)
  expect(await statusOf(anonymously(url))).toBe(404)
  clock.mockRestore()
})

test('a signed URL stays the same for half an hour, and is valid for an hour after that', async () => {
  const { image } = await postWithImage(ada, 'followers')
  const ctx = asViewer(createContext({ env, waitUntil: () => {}, start: 'first-primary' }), ada.id)
  const start = Math.ceil(Date.now() / 1_800_000) * 1_800_000
  const clock = vi.spyOn(Date, 'now')
  const at = (minutes: number, ms = 0) => clock.mockReturnValue(start + minutes * 60_000 + ms)
  const urlNow = async () => (await mediaUrls(ctx, image.id, false)).url
  at(0)
  const url = await urlNow()
  at(30, -1)
  expect(await urlNow()).toBe(url)
  at(30)
  expect(await urlNow()).not.toBe(url)
  at(90, -1)
  expect(await statusOf(anonymously(url))).toBe(200)
  at(90)
  expect(await statusOf(anonymously(url))).toBe(404)
  clock.mockRestore()
})

test('a URL signed for a follower stops working when the follow ends', async () => {
  const { id, image } = await postWithImage(ada, 'followers')
  const url = await imageUrlFor(follower, id)
  expect(await statusOf(anonymously(url))).toBe(200)
  await follower.fetch(`/v1/accounts/${ada.id}/follow`, { method: 'DELETE' })
  await drained()
  for (const request of [anonymously(url), follower.fetch(url), follower.fetch(unsignedPath(image))]) {
    expect(await statusOf(request)).toBe(404)
  }
})

test('a block hides the images of the blocker from the blocked account at once, even of public posts', async () => {
  const [restricted, open] = [await postWithImage(ada, 'followers'), await postWithImage(ada, 'public')]
  const url = await imageUrlFor(follower, restricted.id)
  await ada.fetch(`/v1/accounts/${follower.id}/block`, { method: 'PUT' })
  for (const request of [
    anonymously(url),
    follower.fetch(unsignedPath(restricted.image)),
    follower.fetch(open.image.url),
  ]) {
    expect(await statusOf(request)).toBe(404)
  }
})

test('revalidating the public image of a deleted post, a suspended author or a blocking author returns 404', async () => {
  const [deleted, suspended, blocking] = await Promise.all([registeredUser(), registeredUser(), registeredUser()])
  const posts = await Promise.all([deleted, suspended, blocking].map((author) => postWithImage(author, 'public')))
  const revalidations = () =>
    Promise.all(
      posts.map(({ image }) => {
        const headers = { 'if-none-match': `"${image.id}-image"` }
        return statusOf(follower.fetch(image.url, { headers }))
      }),
    )
  expect(await revalidations()).toEqual([304, 304, 304])
  await deleted.fetch(`/v1/posts/${posts[0]!.id}`, { method: 'DELETE' })
  await markSuspended(suspended.id)
  await blocking.fetch(`/v1/accounts/${follower.id}/block`, { method: 'PUT' })
  expect(await revalidations()).toEqual([404, 404, 404])
})

test('the image of a comment is visible to readers who can see both the comment and its root', async () => {
  const root = await postWithImage(ada, 'followers')
  const { id, image } = await postWithImage(follower, 'public', root.id)
  expect(await statusOf(ada.fetch(unsignedPath(image)))).toBe(200)
  expect(await statusOf(anonymously(await imageUrlFor(ada, id)))).toBe(200)
  expect(await statusOf(follower.fetch(unsignedPath(image)))).toBe(200)
  expect(await statusOf(stranger.fetch(unsignedPath(image)))).toBe(404)
  expect(await statusOf(anonymously(unsignedPath(image)))).toBe(404)
})

test('the image of a comment is served to a mentioned account, even if its root is hidden', async () => {
  const root = await postWithImage(ada, 'followers')
  const media = [(await uploaded(follower)).id]
  const json = { media, parentId: root.id, text: `@${stranger.handle}` }
  const comment: Post = await (await follower.fetch('/v1/posts', { method: 'POST', json })).json()
  expect(await statusOf(stranger.fetch(unsignedPath(comment.media[0]!)))).toBe(200)
  expect(await statusOf(anonymously(await imageUrlFor(stranger, comment.id)))).toBe(200)
  expect(await statusOf(anonymously(unsignedPath(comment.media[0]!)))).toBe(404)
  expect(await statusOf(stranger.fetch(unsignedPath(root.image)))).toBe(404)
  await follower.fetch(`/v1/accounts/${stranger.id}/block`, { method: 'PUT' })
  expect(await statusOf(stranger.fetch(unsignedPath(comment.media[0]!)))).toBe(404)
})

test('reading an image takes one round trip to the database', async () => {
  const { image } = await postWithImage(ada, 'public')
  for (const request of [anonymously(image.url), follower.fetch(image.url)]) {
    const cost: { trips: number; rowsRead: number } = JSON.parse((await request).headers.get('x-cost')!)
    expect(cost).toMatchObject({ trips: 1, directoryTrips: 0, rowsWritten: 0 })
    expect(cost.rowsRead).toBeLessThanOrEqual(8)
  }
})
