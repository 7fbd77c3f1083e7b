import { env } from 'cloudflare:workers'
import { beforeAll, expect, test, vi } from 'vitest'
import type { MediaView } from '../../../src/services/media/views.ts'
import { type RegisteredUser, registeredUser } from '../../support/actors.ts'
import { countRows } from '../../support/databases.ts'
import { gif, jpeg, png, uploadForm, webp } from '../../support/images.ts'
import { anotherIsolate } from '../../support/isolates.ts'
import { mediaRow, objectCountOf, objectKeysOf, upload, uploaded } from '../../support/media.ts'
import { until } from '../../support/until.ts'

let ada: RegisteredUser
let bob: RegisteredUser
beforeAll(async () => {
  ;[ada, bob] = await Promise.all([registeredUser(), registeredUser()])
})

const latin1 = (bytes: Uint8Array) => new TextDecoder('latin1').decode(bytes)
const bytesAt = async (path: string) => new Uint8Array(await (await ada.fetch(path)).arrayBuffer())
const describe = (user: RegisteredUser, id: string, json: unknown) =>
  user.fetch(`/v1/media/${id}`, { method: 'PATCH', json })
const rowsOf = (id: MediaView['id']) => countRows('media', { id })
const imagesOf = (owner: RegisteredUser) => countRows('media', { account_id: owner.id })

test('an upload stores a photo as WebP in two sizes and inserts its row', async () => {
  const response = await upload(ada, uploadForm(jpeg({ width: 1_000, height: 600 }), 'a dusk'))
  expect(response.status).toBe(201)
  const view = await response.json<MediaView>()
  expect(view).toMatchObject({ alt: 'a dusk', width: 1_000, height: 600 })
  expect(view.placeholder).toMatch(/^data:image\/webp;base64,UklGR/)
  expect(view.placeholder.length).toBeLessThan(600)
  const row = { account_id: Number(ada.id), post_id: null, alt: 'a dusk', width: 1_000, height: 600 }
  expect([await rowsOf(view.id), await mediaRow(view.id)]).toEqual([1, expect.objectContaining(row)])
  expect(await objectKeysOf(view.id)).toEqual([`media/${view.id}/image.webp`, `media/${view.id}/thumbnail.webp`])
  const thumbnail = await bytesAt(view.thumbnailUrl)
  expect(await env.IMAGES.info(new Blob([thumbnail]).stream())).toMatchObject({
    format: 'image/webp',
    width: 480,
    height: 288,
  })
})

test.each([
  ['JPEG', jpeg(), 'image/webp'],
  ['PNG', png(), 'image/png'],
  ['GIF', gif(), 'image/png'],
  ['WebP', webp(), 'image/png'],
])('a %s is recognized by its bytes, whatever type the client declares', async (_, image, stored) => {
  const response = await upload(ada, uploadForm(image, undefined, 'text/html'))
  expect(response.status).toBe(201)
  const view = await response.json<MediaView>()
  expect(view).toMatchObject({ alt: '', width: 64, height: 48 })
  expect((await ada.fetch(view.url)).headers.get('content-type')).toBe(stored)
})

test.each([
  ['JPEG', jpeg],
  ['PNG', png],
  ['GIF', gif],
  ['WebP', webp],
])('the metadata of a %s is removed', async (_, make) => {
  const original = make({ canary: 'CANARY-48.8566N-2.3522E' })
  expect(latin1(original)).toContain('CANARY')
  const view = await uploaded(ada, original)
  for (const path of [view.url, view.thumbnailUrl]) {
    const stored = latin1(await bytesAt(path))
    expect(stored.length).toBeGreaterThan(50)
    expect(/CANARY|Exif|EXIF|eXIf|tEXt|MM\0\*/.test(stored)).toBe(false)
  }
  expect(atob(view.placeholder.split(',')[1]!)).not.toMatch(/CANARY|EXIF/)
})

test('a JPEG with an EXIF orientation is stored rotated upright', async () => {
  expect(await uploaded(ada, jpeg({ width: 64, height: 32, orientation: 6 }))).toMatchObject({ width: 32, height: 64 })
})

test('an image is scaled down to 2048 pixels on its longer side, and a small image is not enlarged', async () => {
  expect(await uploaded(ada, webp({ width: 4_096, height: 1_024 }))).toMatchObject({ width: 2_048, height: 512 })
  expect(await uploaded(ada, webp({ width: 3, height: 2 }))).toMatchObject({ width: 3, height: 2 })
})

test('an upload repeated with its idempotency key creates one image, and a changed upload returns 422', async () => {
  const carol = await registeredUser()
  const headers = { 'idempotency-key': 'the-dusk' }
  const first = await upload(carol, uploadForm(png(), 'a dusk'), headers)
  const second = await upload(carol, uploadForm(png(), 'a dusk'), headers)
  expect([first.status, second.status]).toEqual([201, 201])
  expect(second.headers.get('idempotency-replayed')).toBe('true')
  expect((await second.json<MediaView>()).id).toBe((await first.json<MediaView>()).id)
  expect(await imagesOf(carol)).toBe(1)
  for (const other of [uploadForm(gif(), 'a dusk'), uploadForm(png(), 'a dawn')]) {
    const mismatch = await upload(carol, other, headers)
    expect([mismatch.status, await mismatch.json()]).toEqual([
      422,
      expect.objectContaining({ code: 'idempotency_mismatch' }),
    ])
  }
})

test('concurrent uploads with one idempotency key create one image', async () => {
  const carol = await registeredUser()
  const headers = { 'idempotency-key': 'at-once' }
  const answers = await Promise.all(Array.from({ length: 4 }, () => upload(carol, uploadForm(png()), headers)))
  const views = await Promise.all(answers.map((answer) => answer.json<MediaView>()))
  expect(new Set(views.map((view) => view.id)).size).toBe(1)
  expect(await imagesOf(carol)).toBe(1)
})

test('two isolates that generate the same id for concurrent uploads store two images, none overwritten', async () => {
  const isolate = await anotherIsolate()
  const headers = { authorization: `Bearer ${ada.token}` }
  const elsewhere = (body: FormData) => isolate.fetch('/v1/media', { method: 'POST', body, headers })
  const draw = crypto.getRandomValues.bind(crypto)
  let draws = 0
  const random = vi
    .spyOn(crypto, 'getRandomValues')
    .mockImplementation((array) => (draws++ < 2 ? array : draw(array as Uint8Array<ArrayBuffer>) && array))
  const clock = vi.spyOn(Date, 'now').mockReturnValue(Date.now())
  const answers = [upload(ada, uploadForm(webp())), elsewhere(uploadForm(webp({ width: 9 })))]
  const views = await Promise.all(answers.map(async (answer) => (await answer).json<MediaView>())).finally(() => {
    random.mockRestore()
    clock.mockRestore()
  })
  expect(draws).toBeGreaterThanOrEqual(3)
  for (const view of views) {
    expect(await rowsOf(view.id)).toBe(1)
    expect(await env.IMAGES.info(new Blob([await bytesAt(view.url)]).stream())).toMatchObject({
      width: view.width,
    })
  }
})

test('only the owner can change the alt text of an image and delete the image', async () => {
  const view = await uploaded(ada, png())
  expect((await describe(bob, view.id, { alt: 'mine' })).status).toBe(404)
  expect((await bob.fetch(`/v1/media/${view.id}`, { method: 'DELETE' })).status).toBe(404)
  const described = await describe(ada, view.id, { alt: 'a dusk over the sea' })
  expect([described.status, await described.json()]).toEqual([
    200,
    expect.objectContaining({ alt: 'a dusk over the sea' }),
  ])
  expect(await mediaRow(view.id)).toMatchObject({ alt: 'a dusk over the sea' })

  expect((await ada.fetch(`/v1/media/${view.id}`, { method: 'DELETE' })).status).toBe(204)
  for (const path of [view.url, view.thumbnailUrl]) expect((await ada.fetch(path)).status).toBe(404)
  expect((await ada.fetch(`/v1/media/${view.id}`, { method: 'DELETE' })).status).toBe(404)
  expect((await describe(ada, view.id, { alt: 'gone' })).status).toBe(404)
  const isPurged = async () => (await objectCountOf(view.id)) === 0 && (await rowsOf(view.id)) === 0
  await until(isPurged)
})

test('the alt text of an image is stored normalized, trimmed and without control characters', async () => {
  const view = await uploaded(bob, png(), ' e\u0301te\u0301\u0000\r\nsoir\tnuit ')
  expect(view.alt).toBe('été\nsoir nuit')
  expect(await (await describe(bob, view.id, { alt: '\u200b \u0007' })).json()).toMatchObject({ alt: '' })
  expect((await bob.fetch(`/v1/media/${view.id}`, { method: 'DELETE' })).status).toBe(204)
})

test('an invalid upload form returns 422 with the invalid field, or 413 if too large, and stores nothing', async () => {
  const check = async (form: FormData, status: number, field?: string) => {
    const response = await upload(bob, form)
    expect(response.status).toBe(status)
    expect(response.headers.get('content-type')).toMatch('application/problem+json')
    if (field) expect(await response.json()).toMatchObject({ errors: [{ field }] })
  }
  const plus = (name: string, value: string) => {
    const form = uploadForm(png())
    form.append(name, value)
    return form
  }
  await check(new FormData(), 422, 'file')
  await check(uploadForm(png(), 'x'.repeat(1_501)), 422, 'alt')
  await check(uploadForm(png(), '👩\u200d'.repeat(1_000)), 422, 'alt')
  await check(plus('extra', 'field'), 422, '')
  await check(plus('file', 'a second, which is text'), 422, 'file')
  await check(uploadForm(new Uint8Array(10 * 1024 * 1024 + 1)), 413)
  expect((await describe(bob, '1', { alt: 'x', owner: 'me' })).status).toBe(422)
  expect(await imagesOf(bob)).toBe(0)
})
