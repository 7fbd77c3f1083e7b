import { beforeAll, expect, test } from 'vitest'
import type { MediaView } from '../../../src/services/media/views.ts'
import type { Post } from '../../../src/services/posts/views.ts'
import { type RegisteredUser, registeredUser } from '../../support/actors.ts'
import { animatedGif, animatedPng, animatedWebp } from '../../support/animations.ts'
import { gif, png, uploadForm, webp } from '../../support/images.ts'
import { publishWith, upload, uploaded } from '../../support/media.ts'

let ada: RegisteredUser
beforeAll(async () => {
  ada = await registeredUser()
})

const served = async (path: string) => {
  const response = await ada.fetch(path)
  return { type: response.headers.get('content-type'), bytes: new Uint8Array(await response.arrayBuffer()) }
}
const animations = [
  ['GIF', 'image/gif', animatedGif],
  ['WebP', 'image/webp', animatedWebp],
  ['APNG', 'image/png', animatedPng],
] as const

test.each(animations)('an animated %s keeps its frames, delays and loops, without metadata', async (_, type, make) => {
  const view = await uploaded(ada, make({ canary: 'CANARY' }))
  expect(view).toMatchObject({ width: 16, height: 12, animated: true })
  expect(await served(view.url)).toEqual({ type, bytes: make() })
})

test.each(animations)('the thumbnail of an animated %s is still', async (_, __, make) => {
  const view = await uploaded(ada, make({ width: 600, height: 60, frames: 2 }))
  const { bytes } = await served(view.thumbnailUrl)
  expect(new TextDecoder('latin1').decode(bytes)).not.toMatch(/acTL|ANMF|NETSCAPE/)
  expect(await uploaded(ada, bytes)).toMatchObject({ width: 480, height: 48, animated: false })
})

test('an animation with one frame is a still image', async () => {
  for (const make of [animatedGif, animatedPng, gif, png, webp]) {
    expect(await uploaded(ada, make({ frames: 1 } as object))).toMatchObject({ animated: false })
  }
})

test('a post says which of its images are animated', async () => {
  const images = [await uploaded(ada, animatedGif()), await uploaded(ada, webp())]
  const response = await publishWith(
    ada,
    images.map(({ id }) => id),
  )
  const { media } = await response.json<Post>()
  expect(media.map(({ animated }) => animated)).toEqual([true, false])
})

test.each([
  ['frames', { width: 1, height: 1, frames: 501, delay: 10 }, 'has more than 500 frames'],
  ['seconds', { frames: 61, delay: 1_000 }, 'is an animation of more than 60 seconds'],
  ['side', { width: 2_049, height: 1, frames: 2 }, 'is an animation with a side of more than 2048 pixels'],
  [
    'pixels',
    { width: 2_000, height: 1_000, frames: 26, delay: 10 },
    'has more than 50 megapixels in all frames together',
  ],
])('an animation that exceeds the limit of %s is refused with this reason', async (_, options, message) => {
  for (const bytes of [animatedWebp(options), ...(message.includes('mega') ? [] : [animatedGif(options)])]) {
    const response = await upload(ada, uploadForm(bytes))
    expect([response.status, await response.json()]).toEqual([
      422,
      expect.objectContaining({ errors: [{ field: 'file', message }] }),
    ])
  }
})

test('an animation at the limits is accepted', async () => {
  const longest: MediaView = await uploaded(ada, animatedWebp({ width: 1, height: 1, frames: 500, delay: 120 }))
  expect(longest).toMatchObject({ animated: true })
  const largest = await uploaded(ada, animatedWebp({ width: 2_000, height: 1_000, frames: 25 }))
  expect(largest).toMatchObject({ width: 2_000, height: 1_000, animated: true })
})

test('a frame outside the canvas, or of another size than its pixels, is refused as damaged', async () => {
  const wide = animatedWebp({ width: 16 })
  const canvas = wide.findIndex((_, i) => String.fromCharCode(...wide.slice(i, i + 4)) === 'VP8X') + 12
  const narrowed = wide.with(canvas, 7)
  const frame = wide.findIndex((_, i) => String.fromCharCode(...wide.slice(i, i + 4)) === 'ANMF') + 14
  for (const bytes of [narrowed, wide.with(frame, 7)]) {
    const response = await upload(ada, uploadForm(bytes))
    expect([response.status, await response.json()]).toEqual([
      422,
      expect.objectContaining({ errors: [{ field: 'file', message: 'is damaged and cannot be decoded' }] }),
    ])
  }
})
