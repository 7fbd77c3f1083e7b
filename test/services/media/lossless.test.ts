import { beforeAll, expect, test } from 'vitest'
import { type RegisteredUser, registeredUser } from '../../support/actors.ts'
import { gif, jpeg, png, pngOf, webp } from '../../support/images.ts'
import { uploaded } from '../../support/media.ts'
import { decodePng } from '../../support/pixels.ts'

let ada: RegisteredUser
beforeAll(async () => {
  ada = await registeredUser()
})

const typeAndBytes = async (path: string) => {
  const response = await ada.fetch(path)
  return { type: response.headers.get('content-type'), bytes: new Uint8Array(await response.arrayBuffer()) }
}

/** A PNG of these pixels. */
function painted(width: number, height: number, colorAt: (x: number, y: number) => number[]) {
  const rows = Array.from({ length: height }, (_, y) => [
    0,
    ...Array.from({ length: width }, (_, x) => colorAt(x, y)).flat(),
  ])
  return pngOf({ width, height }, new Uint8Array(rows.flat()))
}

test('pixel art keeps every colour of every pixel, in the image and in the thumbnail', async () => {
  const art = painted(24, 16, (x, y) => [(x * 37) % 256, (y * 91) % 256, (x * y * 53) % 256])
  const view = await uploaded(ada, art)
  for (const path of [view.url, view.thumbnailUrl]) {
    const { type, bytes } = await typeAndBytes(path)
    expect(type).toBe('image/png')
    expect(decodePng(bytes)).toEqual(decodePng(art))
  }
})

test('a GIF and a lossless WebP keep the colour of every pixel', async () => {
  const fromGif = decodePng((await typeAndBytes((await uploaded(ada, gif())).url)).bytes)
  // The two colours of `gif` in the pattern that it draws.
  const expected = Array.from({ length: 64 * 48 }, (_, i) =>
    i % 2 === 0 || i % 3 === 0 ? '30,30,110,255' : '230,120,50,255',
  )
  expect(fromGif.colors).toEqual(expected)
  const fromWebp = decodePng((await typeAndBytes((await uploaded(ada, webp())).url)).bytes)
  expect(new Set(fromWebp.colors)).toEqual(new Set(['230,120,50,255']))
})

test('a screenshot of 1280 x 800 pixels keeps its colours', async () => {
  const screenshot = painted(1_280, 800, (x, y) => (x % 9 < 2 && y % 17 < 9 ? [20, 20, 20] : [250, 250, 248]))
  const { type, bytes } = await typeAndBytes((await uploaded(ada, screenshot)).url)
  expect(type).toBe('image/png')
  expect(decodePng(bytes)).toEqual(decodePng(screenshot))
})

test('a PNG that would take more than a megabyte without loss is stored as a lossy WebP', async () => {
  let seed = 1
  const noise = () => {
    seed = Math.imul(seed, 1_103_515_245) + 12_345
    return (seed >> 16) & 255
  }
  const photo = painted(800, 600, () => [noise(), noise(), noise()])
  const view = await uploaded(ada, photo)
  for (const path of [view.url, view.thumbnailUrl]) expect((await typeAndBytes(path)).type).toBe('image/webp')
})

test('a JPEG is stored as WebP', async () => {
  const view = await uploaded(ada, jpeg())
  for (const path of [view.url, view.thumbnailUrl]) expect((await typeAndBytes(path)).type).toBe('image/webp')
  expect((await typeAndBytes((await uploaded(ada, png())).url)).type).toBe('image/png')
})
