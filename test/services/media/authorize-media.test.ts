import { env } from 'cloudflare:workers'
import { beforeAll, expect, test, vi } from 'vitest'
import type { MediaView } from '../../../src/services/media/views.ts'
import type { Post } from '../../../src/services/posts/views.ts'
import { jpeg, uploadForm, webp } from '../../support/images.ts'
import { anonymous, type Person, register, settled } from '../../support/people.ts'

let ada: Person
let bob: Person
let carol: Person
beforeAll(async () => {
  ;[ada, bob, carol] = await Promise.all([register(), register(), register()])
  await bob.fetch(`/v1/accounts/${ada.id}/follow`, { method: 'PUT' })
  await settled()
})

const nobody = anonymous.fetch
const status = async (answer: Promise<Response>) => (await answer).status

async function uploaded(who: Person): Promise<MediaView> {
  const response = await who.fetch('/v1/media', { method: 'POST', body: uploadForm(webp()) })
  return (await response.json()) as MediaView
}

/** A post of one image, as its author sees it. */
async function posted(who: Person, visibility: string, parentId?: string): Promise<Post & { image: MediaView }> {
  const { id } = await uploaded(who)
  const json = { visibility, media: [id], parentId }
  const post = (await (await who.fetch('/v1/posts', { method: 'POST', json })).json()) as Post
  return { ...post, image: post.media[0]! }
}

/** The address of the post's image as this person is given it. */
async function urlFor(who: Person, postId: string): Promise<string> {
  const post = (await (await who.fetch(`/v1/posts/${postId}`)).json()) as Post
  return post.media[0]!.url
}

const plain = (image: MediaView) => `/v1/media/${image.id}/image`

test('an image that no post has taken is its owner’s alone', async () => {
  const image = await uploaded(ada)
  expect(await status(ada.fetch(plain(image)))).toBe(200)
  expect(await status(nobody(image.url))).toBe(200)
  expect(await status(bob.fetch(plain(image)))).toBe(404)
  expect(await status(nobody(plain(image)))).toBe(404)
})

test('the image of a public post has a plain address, which everyone may keep for good', async () => {
  const { image } = await posted(ada, 'public')
  expect(image.url).toBe(plain(image))
  for (const response of [await nobody(image.url), await carol.fetch(image.url), await nobody(image.thumbnailUrl)]) {
    expect(response.status).toBe(200)
    expect(response.headers.get('cache-control')).toBe('public, max-age=31536000, immutable')
  }
})

test('every image is served as WebP that nothing can run in', async () => {
  const { image } = await posted(ada, 'public')
  const hidden = await posted(ada, 'followers')
  for (const url of [image.url, image.thumbnailUrl, hidden.image.url]) {
    const { headers } = await nobody(url)
    expect(Object.fromEntries(headers)).toMatchObject({
      'content-type': 'image/webp',
      'x-content-type-options': 'nosniff',
      'content-security-policy': "sandbox; default-src 'none'",
      'content-disposition': 'inline',
      'accept-ranges': 'bytes',
    })
  }
})

test('the image of a followers-only post is for followers: by token, or by an address signed for them', async () => {
  const post = await posted(ada, 'followers')
  const [own, bobs] = [post.image.url, await urlFor(bob, post.id)]
  for (const answer of [nobody(own), nobody(bobs), ada.fetch(plain(post.image)), bob.fetch(plain(post.image))]) {
    const response = await answer
    expect(response.status).toBe(200)
    expect(response.headers.get('cache-control')).toBe('private, max-age=300')
  }
  expect(await status(carol.fetch(plain(post.image)))).toBe(404)
  expect(await status(nobody(plain(post.image)))).toBe(404)
})

test('what may not be seen answers exactly as what is not there', async () => {
  const root = await posted(ada, 'followers')
  const under = await posted(bob, 'public', root.id)
  const ignored = ['x-request-id', 'ratelimit', 'x-cost']
  const shown = async (id: string) => {
    const response = await carol.fetch(`/v1/media/${id}/image`)
    const headers = [...response.headers].filter(([name]) => !ignored.includes(name))
    return { status: response.status, headers, body: (await response.text()).replaceAll(id, '') }
  }
  const absent = await shown(String(Number(root.image.id) - 1))
  expect(absent.status).toBe(404)
  for (const { image } of [root, under]) expect(await shown(image.id)).toEqual(absent)
})

test('a signed address that is altered, incomplete, expired or another’s is not there', async () => {
  const post = await posted(ada, 'followers')
  const other = await posted(ada, 'followers')
  const url = await urlFor(bob, post.id)
  const query = new URLSearchParams(url.split('?')[1])
  const altered = (changes: Record<string, string | null>, image = post.image) => {
    const next = new URLSearchParams(query)
    for (const [name, value] of Object.entries(changes)) value === null ? next.delete(name) : next.set(name, value)
    return `${plain(image)}?${next}`
  }
  expect(await status(nobody(altered({})))).toBe(200)
  const signature = query.get('signature')!
  const wrong = [
    altered({ viewer: ada.id }),
    altered({ viewer: carol.id }),
    altered({ viewer: 'x' }),
    altered({ expires: String(Number(query.get('expires')) + 60) }),
    altered({ signature: signature.startsWith('A') ? `B${signature.slice(1)}` : `A${signature.slice(1)}` }),
    altered({ signature: '' }),
    altered({ signature: null }),
    altered({ viewer: null }),
    altered({ expires: null }),
    altered({}, other.image),
  ]
  for (const address of wrong) expect([address, await status(nobody(address))]).toEqual([address, 404])
  expect(await status(carol.fetch(url))).toBe(404)

  const clock = vi.spyOn(Date, 'now').mockReturnValue(Number(query.get('expires')) * 1_000 + 1)
  expect(await status(nobody(url))).toBe(404)
  clock.mockRestore()
})

test('a signed address holds for four to five minutes and stays the same for a minute', async () => {
  const image = await uploaded(ada)
  const expires = Number(new URLSearchParams(image.url.split('?')[1]).get('expires'))
  expect(expires % 60).toBe(0)
  expect(expires - Date.now() / 1_000).toBeGreaterThan(235)
  expect(expires - Date.now() / 1_000).toBeLessThanOrEqual(300)
})

test('an address signed for a follower ends with the follow', async () => {
  const dave = await register()
  await dave.fetch(`/v1/accounts/${ada.id}/follow`, { method: 'PUT' })
  await settled()
  const post = await posted(ada, 'followers')
  const url = await urlFor(dave, post.id)
  expect(await status(nobody(url))).toBe(200)
  await dave.fetch(`/v1/accounts/${ada.id}/follow`, { method: 'DELETE' })
  await settled()
  for (const answer of [nobody(url), dave.fetch(url), dave.fetch(plain(post.image))])
    expect(await status(answer)).toBe(404)
})

test('a block cuts the images of every post off at once, public ones too', async () => {
  const dave = await register()
  await dave.fetch(`/v1/accounts/${ada.id}/follow`, { method: 'PUT' })
  await settled()
  const [hidden, open] = [await posted(ada, 'followers'), await posted(ada, 'public')]
  const url = await urlFor(dave, hidden.id)
  await ada.fetch(`/v1/accounts/${dave.id}/block`, { method: 'PUT' })
  for (const answer of [nobody(url), dave.fetch(plain(hidden.image)), dave.fetch(open.image.url)]) {
    expect(await status(answer)).toBe(404)
  }
})

test('the image of a comment is seen by those who see both the comment and what it is under', async () => {
  const root = await posted(ada, 'followers')
  const comment = await posted(bob, 'public', root.id)
  expect(await status(ada.fetch(plain(comment.image)))).toBe(200)
  expect(await status(nobody(await urlFor(ada, comment.id)))).toBe(200)
  expect(await status(bob.fetch(plain(comment.image)))).toBe(200)
  expect(await status(carol.fetch(plain(comment.image)))).toBe(404)
  expect(await status(nobody(plain(comment.image)))).toBe(404)
})

test('an image is read with one trip to the database', async () => {
  const { image } = await posted(ada, 'public')
  for (const answer of [nobody(image.url), bob.fetch(image.url)]) {
    const cost = JSON.parse((await answer).headers.get('x-cost')!) as { trips: number; rowsRead: number }
    expect(cost).toMatchObject({ trips: 1, directoryTrips: 0, rowsWritten: 0 })
    expect(cost.rowsRead).toBeLessThanOrEqual(8)
  }
})

test('any part of an image may be asked for', async () => {
  const form = uploadForm(jpeg({ width: 300, height: 200 }))
  const image = (await (await ada.fetch('/v1/media', { method: 'POST', body: form })).json()) as MediaView
  const whole = new Uint8Array(await (await ada.fetch(plain(image))).arrayBuffer())
  const size = whole.length
  const ask = (range: string, headers: Record<string, string> = {}) =>
    ada.fetch(plain(image), { headers: { range, ...headers } })

  for (const [range, from, to] of [
    ['bytes=0-9', 0, 9],
    ['bytes=5-', 5, size - 1],
    ['bytes=-7', size - 7, size - 1],
    ['bytes=0-999999', 0, size - 1],
    ['bytes=-999999', 0, size - 1],
    [`bytes=${size - 1}-${size - 1}`, size - 1, size - 1],
  ] as const) {
    const part = await ask(range)
    expect([range, part.status, part.headers.get('content-range')]).toEqual([range, 206, `bytes ${from}-${to}/${size}`])
    expect(part.headers.get('content-length')).toBe(String(to - from + 1))
    expect(new Uint8Array(await part.arrayBuffer())).toEqual(whole.slice(from, to + 1))
  }
  for (const range of [`bytes=${size}-`, 'bytes=999999-9999999', 'bytes=-0']) {
    const refused = await ask(range)
    expect([range, refused.status, refused.headers.get('content-range')]).toEqual([range, 416, `bytes */${size}`])
    expect(await refused.json()).toMatchObject({ code: 'range_not_satisfiable' })
  }
  for (const range of ['bytes=9-5', 'bytes=-', 'bytes=a-b', 'lines=1-2', 'bytes=0-1,4-5', 'nonsense']) {
    expect([range, await status(ask(range))]).toEqual([range, 200])
  }
  const etag = (await ada.fetch(plain(image))).headers.get('etag')!
  expect(await status(ask('bytes=0-9', { 'if-range': etag }))).toBe(206)
  expect(await status(ask('bytes=0-9', { 'if-range': '"another"' }))).toBe(200)
})

test('whoever has the image is told so instead of sent it, as long as they may see it', async () => {
  const { image } = await posted(ada, 'followers')
  const first = await bob.fetch(plain(image))
  const etag = first.headers.get('etag')!
  expect((await ada.fetch(`/v1/media/${image.id}/thumbnail`)).headers.get('etag')).not.toBe(etag)
  for (const tags of [etag, `W/${etag}`, `"a", ${etag}`, '*']) {
    const again = await bob.fetch(plain(image), { headers: { 'if-none-match': tags } })
    expect([tags, again.status, await again.text()]).toEqual([tags, 304, ''])
    expect(again.headers.get('etag')).toBe(etag)
    expect(again.headers.get('cache-control')).toBe('private, max-age=300')
  }
  for (const tags of ['"a"', 'not a tag', '']) {
    expect([tags, await status(bob.fetch(plain(image), { headers: { 'if-none-match': tags } }))]).toEqual([tags, 200])
  }
  expect(await status(carol.fetch(plain(image), { headers: { 'if-none-match': etag } }))).toBe(404)
})

test('HEAD tells what GET would send', async () => {
  const { image } = await posted(ada, 'public')
  const [get, head] = [await nobody(image.url), await nobody(image.url, { method: 'HEAD' })]
  const size = String((await get.arrayBuffer()).byteLength)
  expect([head.status, await head.text(), head.headers.get('content-length')]).toEqual([200, '', size])
  for (const name of ['etag', 'content-type', 'cache-control', 'accept-ranges']) {
    expect(head.headers.get(name)).toBe(get.headers.get(name))
  }
  expect(await status(nobody(plain({ ...image, id: '1' as never }), { method: 'HEAD' }))).toBe(404)
})

test('an address that names no image is not there', async () => {
  for (const path of ['1/image', 'x/image', '999999999999999/image', `${Number.MAX_SAFE_INTEGER}/image`]) {
    expect([path, await status(nobody(`/v1/media/${path}`))]).toEqual([path, 404])
  }
  const { image } = await posted(ada, 'public')
  expect(await status(nobody(`/v1/media/${image.id}/original`))).toBe(404)
  await env.MEDIA.delete(`media/${image.id}/image.webp`)
  expect(await status(nobody(image.url))).toBe(404)
})
