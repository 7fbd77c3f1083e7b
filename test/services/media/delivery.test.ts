import { env } from 'cloudflare:workers'
import { beforeAll, expect, test } from 'vitest'
import { type RegisteredUser, registeredUser } from '../../support/actors.ts'
import { anonymousClient } from '../../support/client.ts'
import { jpeg } from '../../support/images.ts'
import { postWithImage, unsignedPath, uploaded } from '../../support/media.ts'
import { drained } from '../../support/outboxes.ts'

const { fetch: anonymously } = anonymousClient()
const statusOf = async (response: Promise<Response>) => (await response).status

let ada: RegisteredUser
let follower: RegisteredUser
let stranger: RegisteredUser
beforeAll(async () => {
  ;[ada, follower, stranger] = await Promise.all([registeredUser(), registeredUser(), registeredUser()])
  await follower.fetch(`/v1/accounts/${ada.id}/follow`, { method: 'PUT' })
  await drained()
})

test('every image is served with its type and headers that forbid scripts and MIME sniffing', async () => {
  const { image } = await postWithImage(ada, 'public')
  const restricted = await postWithImage(ada, 'followers')
  for (const url of [image.url, image.thumbnailUrl, restricted.image.url]) {
    const { headers } = await anonymously(url)
    expect(Object.fromEntries(headers)).toMatchObject({
      'content-type': 'image/png',
      'x-content-type-options': 'nosniff',
      'content-security-policy': "sandbox; default-src 'none'",
      'content-disposition': 'inline',
      'accept-ranges': 'bytes',
    })
  }
})

/** The bytes and ETag of an uploaded image, and a function that requests a range of it. */
async function imageWithBytes() {
  const path = unsignedPath(await uploaded(ada, jpeg({ width: 300, height: 200 })))
  const response = await ada.fetch(path)
  const bytes = new Uint8Array(await response.arrayBuffer())
  const rangeOf = (range: string, headers: Record<string, string> = {}) =>
    ada.fetch(path, { headers: { range, ...headers } })
  return { bytes, size: bytes.length, etag: response.headers.get('etag')!, rangeOf }
}

test('a satisfiable range is served as partial content', async () => {
  const { bytes, size, rangeOf } = await imageWithBytes()
  for (const [range, from, to] of [
    ['bytes=0-9', 0, 9],
    ['bytes=5-', 5, size - 1],
    ['bytes=-7', size - 7, size - 1],
    ['bytes=0-999999', 0, size - 1],
    ['bytes=-999999', 0, size - 1],
    [`bytes=${size - 1}-${size - 1}`, size - 1, size - 1],
  ] as const) {
    const part = await rangeOf(range)
    expect([range, part.status, part.headers.get('content-range')]).toEqual([range, 206, `bytes ${from}-${to}/${size}`])
    expect(part.headers.get('content-length')).toBe(String(to - from + 1))
    expect(new Uint8Array(await part.arrayBuffer())).toEqual(bytes.slice(from, to + 1))
  }
})

test('an unsatisfiable range is refused', async () => {
  const { size, rangeOf } = await imageWithBytes()
  for (const range of [`bytes=${size}-`, 'bytes=999999-9999999', 'bytes=-0']) {
    const refused = await rangeOf(range)
    expect([range, refused.status, refused.headers.get('content-range')]).toEqual([range, 416, `bytes */${size}`])
    expect(await refused.json()).toMatchObject({ code: 'range_not_satisfiable' })
  }
})

test('a malformed Range, a list of ranges or an outdated If-Range returns 200 instead of 206', async () => {
  const { etag, rangeOf } = await imageWithBytes()
  for (const range of ['bytes=9-5', 'bytes=-', 'bytes=a-b', 'lines=1-2', 'bytes=0-1,4-5', 'nonsense']) {
    expect([range, await statusOf(rangeOf(range))]).toEqual([range, 200])
  }
  expect(await statusOf(rangeOf('bytes=0-9', { 'if-range': etag }))).toBe(206)
  expect(await statusOf(rangeOf('bytes=0-9', { 'if-range': '"another"' }))).toBe(200)
})

test('a matching If-None-Match returns 304 if the viewer may see the image, and 404 otherwise', async () => {
  const { image } = await postWithImage(ada, 'followers')
  const revalidate = (user: RegisteredUser, tags: string) =>
    user.fetch(unsignedPath(image), { headers: { 'if-none-match': tags } })
  const etag = (await follower.fetch(unsignedPath(image))).headers.get('etag')!
  expect((await ada.fetch(`/v1/media/${image.id}/thumbnail`)).headers.get('etag')).not.toBe(etag)
  for (const tags of [etag, `W/${etag}`, `"a", ${etag}`, '*']) {
    const response = await revalidate(follower, tags)
    expect([tags, response.status, await response.text()]).toEqual([tags, 304, ''])
    expect(response.headers.get('etag')).toBe(etag)
    expect(response.headers.get('cache-control')).toBe('private, max-age=300, must-revalidate')
  }
  for (const tags of ['"a"', 'not a tag', '']) {
    expect([tags, await statusOf(revalidate(follower, tags))]).toEqual([tags, 200])
  }
  expect(await statusOf(revalidate(stranger, etag))).toBe(404)
})

test('HEAD returns the headers of GET', async () => {
  const { image } = await postWithImage(ada, 'public')
  const [get, head] = [await anonymously(image.url), await anonymously(image.url, { method: 'HEAD' })]
  const size = String((await get.arrayBuffer()).byteLength)
  expect([head.status, await head.text(), head.headers.get('content-length')]).toEqual([200, '', size])
  for (const name of ['etag', 'content-type', 'cache-control', 'accept-ranges']) {
    expect(head.headers.get(name)).toBe(get.headers.get(name))
  }
  expect(await statusOf(anonymously(unsignedPath({ id: '1' }), { method: 'HEAD' }))).toBe(404)
})

test('a path of an unknown image, an unknown variant or an image without its R2 object returns 404', async () => {
  for (const id of ['1', 'x', '999999999999999', String(Number.MAX_SAFE_INTEGER)]) {
    expect([id, await statusOf(anonymously(unsignedPath({ id })))]).toEqual([id, 404])
  }
  const { image } = await postWithImage(ada, 'public')
  expect(await statusOf(anonymously(`/v1/media/${image.id}/original`))).toBe(404)
  await env.MEDIA.delete(`media/${image.id}/image.webp`)
  expect(await statusOf(anonymously(image.url))).toBe(404)
})
