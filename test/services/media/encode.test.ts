import { env } from 'cloudflare:workers'
import { deflateRawSync } from 'node:zlib'
import { expect, test, vi } from 'vitest'
import { encodeImage, shapes } from '../../../src/services/media/encode.ts'
import type { MediaView } from '../../../src/services/media/views.ts'
import { type RegisteredUser, registeredUser } from '../../support/actors.ts'
import { gif, jpeg, png, pngOf, uploadForm, webp } from '../../support/images.ts'
import { upload } from '../../support/media.ts'

type Bytes = Uint8Array<ArrayBuffer>
const text = (content: string): Bytes => Uint8Array.from(content, (char) => char.charCodeAt(0))
const join = (...parts: Bytes[]): Bytes => new Uint8Array(parts.flatMap((part) => [...part]))

const svg = '<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"><script>alert(1)</script></svg>'
const pdf = '%PDF-1.4\n1 0 obj\n<</OpenAction<</S/JavaScript/JS(app.alert(1))>>>>\nendobj\n%%EOF'
const zip = `PK\x03\x04${'\0'.repeat(26)}PK\x05\x06${'\0'.repeat(18)}`
const payloads = {
  html: '<html><body><script>alert(document.domain)</script></body></html>',
  script: '*/=1;</script><script src=//evil.example></script>',
  svg,
  pdf,
  zip,
  php: '<?php system($_GET["c"]); ?>',
  phar: '<?=1; __HALT_COMPILER(); ?>',
  rar: 'Rar!\x1a\x07\x00',
  postscript: '%!PS-Adobe-3.0\n/x 1 def',
}
const carriers = { jpeg, png, gif, webp }
const TRUNCATED = 'is truncated: its end is missing'
const DAMAGED = 'is damaged and cannot be decoded'

const harmless = Object.entries(carriers).flatMap(([kind, make]) =>
  Object.entries(payloads).flatMap(([name, payload]) => [
    [`${kind} followed by ${name}`, join(make(), text(payload))] as const,
    [`${kind} with ${name} in its metadata`, make({ canary: payload })] as const,
  ]),
)
const truncated = Object.entries(carriers).map(
  ([kind, make]) =>
    [`half of a ${kind}`, make({ width: 256, height: 256 }).slice(0, kind === 'webp' ? 26 : 500), TRUNCATED] as const,
)
const disguised = [
  ['a script that begins like a GIF', text('GIF89a=1;alert(1)//'), DAMAGED],
  ['a script in a comment that begins like a GIF', text('GIF89a/*\x00\x00*/=1;alert(1)'), DAMAGED],
  ['a GIF without an image', gif().slice(0, 19), TRUNCATED],
  ['text that begins like a PNG', join(text('\x89PNG\r\n\x1a\n'), text('hello'.repeat(50))), DAMAGED],
  ['text that begins like a JPEG', join(text('\xff\xd8\xff\xe0'), text('hello'.repeat(50))), TRUNCATED],
  ['text that begins like a WebP', text(`RIFF\x40\0\0\0WEBPVP8 ${'hello'.repeat(14)}`), TRUNCATED],
  ['a PNG whose pixels are missing', pngOf({ width: 64, height: 48 }, new Uint8Array(100)), DAMAGED],
  ['a JPEG whose pixels are missing', join(jpeg({ width: 256, height: 256 }).slice(0, 500), text('\xff\xd9')), DAMAGED],
  ['nothing', new Uint8Array(), 'is empty'],
] as const
const unsupported = [
  ['a JPEG that begins with a blank', join(text(' '), jpeg())],
  ['HTML followed by a PNG', join(text('<html>'), png())],
  ['a PDF that contains a JPEG', join(text(pdf), jpeg())],
  ['an AVIF', text('\0\0\0\x1cftypavif\0\0\0\0avifmif1miaf')],
  ['an HEIC', text('\0\0\0\x18ftypheic\0\0\0\0heicmif1')],
  ['an MP4', text('\0\0\0\x18ftypmp42\0\0\0\0mp42isom')],
  ['a WAV', text('RIFF\x24\0\0\0WAVEfmt ')],
  ['a BMP', text(`BM\x3a\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0\x01\0\0\0\x01\0\0\0\x01\0\x18\0${'\0'.repeat(28)}`)],
  ['a TIFF', text('II*\0\x08\0\0\0\0\0')],
  ['an icon', text('\0\0\x01\0\x01\0\x10\x10\0\0\x01\0\x20\0')],
  ['a Windows program', text(`MZ\x90\0${'\0'.repeat(60)}`)],
  ['a Linux program', text('\x7fELF\x02\x01\x01')],
  ['WebAssembly', text('\0asm\x01\0\0\0')],
  ['gzip', join(text('\x1f\x8b\x08\0\0\0\0\0\0\x03'), new Uint8Array(deflateRawSync(text('hello'))))],
  ['SVG', text(svg)],
  ['SVG with an XML prologue', text(`<?xml version="1.0"?>\n<!DOCTYPE svg>\n${svg}`)],
  ['HTML', text(payloads.html)],
  ['PDF', text(pdf)],
  ['ZIP', text(zip)],
  ['plain text', text('just words')],
] as const

const uploadBytes = (user: RegisteredUser, image: Bytes, type?: string) => upload(user, uploadForm(image, '', type))
const users = Promise.all(Array.from({ length: 4 }, () => registeredUser()))

/** Uploads each file. Returns its name with the result of `answerOf` for the response. */
async function answers<T>(
  files: readonly (readonly [string, Bytes, ...unknown[]])[],
  answerOf: (response: Response, user: RegisteredUser) => Promise<T>,
): Promise<[string, T][]> {
  const people = await users
  const found: [string, T][] = []
  for (const [i, [name, bytes]] of files.entries()) {
    const user = people[i % people.length]!
    found.push([name, await answerOf(await uploadBytes(user, bytes, 'image/png'), user)])
  }
  return found
}

type Refusal = { code: string; detail?: string; errors?: { field: string; message: string }[] }

test('a file that is not a JPEG, PNG, GIF or WebP image gets 415 and is not stored', async () => {
  const reason = async (response: Response) => {
    const { code, detail } = await response.json<Refusal>()
    return [response.status, code, detail]
  }
  const expected = [415, 'unsupported_media_type', 'The file must be a JPEG, PNG, GIF or WebP image']
  expect(await answers(unsupported, reason)).toEqual(unsupported.map(([name]) => [name, expected]))
  expect((await env.MEDIA.list()).objects).toEqual([])
})

test('a broken image is refused with the reason: truncated, damaged or empty', async () => {
  const files = [...truncated, ...disguised]
  const reason = async (response: Response) => [response.status, (await response.json<Refusal>()).errors]
  expect(await answers(files, reason)).toEqual(
    files.map(([name, , message]) => [name, [422, [{ field: 'file', message }]]]),
  )
  expect((await env.MEDIA.list()).objects).toEqual([])
})

test('a valid image is accepted whatever words its metadata contain or follow it, and they are not served', async () => {
  const words = /<html|<script|<svg|%PDF-|<\?|Rar!|%!PS/i
  const served = async (response: Response, user: RegisteredUser) => {
    const { url, thumbnailUrl } = await response.json<MediaView>()
    const bodies = await Promise.all([url, thumbnailUrl].map(async (path) => (await user.fetch(path)).arrayBuffer()))
    return [response.status, bodies.some((body) => words.test(new TextDecoder('latin1').decode(body)))]
  }
  expect(harmless.length).toBeGreaterThan(60)
  expect(await answers(harmless, served)).toEqual(harmless.map(([name]) => [name, [201, false]]))
})

test('a script between the segments of a JPEG is absent from the served image, which is re-encoded as WebP', async () => {
  const ada = await registeredUser()
  const filler = join(text('\xff\xfe\xff\xfe'), new Uint8Array(0xfffe - 2).fill(0x61))
  const hidden = join(text(`\xff\xfe\0\x2c`), text('<script>alert("CANARY")</script>'.padEnd(42)))
  const image = jpeg()
  const bytes = join(image.slice(0, 2), filler, hidden, filler, filler, image.slice(2))
  const response = await uploadBytes(ada, bytes)
  expect(response.status).toBe(201)
  const { url } = await response.json<MediaView>()
  const served = await ada.fetch(url)
  expect(served.headers.get('content-type')).toBe('image/webp')
  expect(new TextDecoder('latin1').decode(await served.arrayBuffer())).not.toContain('CANARY')
})

test.each([
  ['WebP', webp({ width: 16_383, height: 16_383 })],
  ['PNG', pngOf({ width: 16_000, height: 16_000 }, new Uint8Array(100))],
])('a small %s that claims hundreds of megapixels is refused before it is decoded', async (_, bomb) => {
  const decode = vi.spyOn(env.IMAGES, 'input')
  const response = await uploadBytes(await registeredUser(), bomb)
  expect([response.status, await response.json()]).toEqual([
    422,
    expect.objectContaining({ errors: [{ field: 'file', message: 'has more than 40 megapixels' }] }),
  ])
  expect(decode).not.toHaveBeenCalled()
  decode.mockRestore()
})

test('an image of 40 megapixels is accepted', async () => {
  const response = await uploadBytes(await registeredUser(), webp({ width: 8_000, height: 5_000 }))
  expect(response.status).toBe(201)
})

test('an image side of 12,000 pixels, the limit of the Images service, is accepted; 12,001 returns 422', async () => {
  const ada = await registeredUser()
  expect((await uploadBytes(ada, webp({ width: 12_000, height: 16 }))).status).toBe(201)
  for (const size of [
    { width: 12_001, height: 16 },
    { width: 16, height: 12_001 },
  ]) {
    const response = await uploadBytes(ada, webp(size))
    expect([response.status, await response.json()]).toEqual([
      422,
      expect.objectContaining({ errors: [{ field: 'file', message: 'has a side of more than 12000 pixels' }] }),
    ])
  }
})

test('a valid image fails as unavailable when the Images service is down', async () => {
  const down = async () => {
    throw new Error('down')
  }
  const broken = { input: () => ({ transform: () => ({ output: down }) }) } as unknown as ImagesBinding
  await expect(encodeImage(broken, jpeg(), shapes.post)).rejects.toMatchObject({ code: 'unavailable' })
})
