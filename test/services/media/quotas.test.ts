import { env } from 'cloudflare:workers'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { UserCtx } from '../../../src/platform/context.ts'
import { uploadMedia } from '../../../src/services/media/media.ts'
import { setAvatar } from '../../../src/services/media/profile-images.ts'
import type { MediaView } from '../../../src/services/media/views.ts'
import { accountsOn } from '../../support/actors.ts'
import { movableClock } from '../../support/clock.ts'
import { countRows } from '../../support/databases.ts'
import { jpeg, png } from '../../support/images.ts'
import { asUser } from '../../support/viewers.ts'

let clock: ReturnType<typeof movableClock>
beforeEach(() => {
  clock = movableClock()
})
afterEach(() => void vi.unstubAllGlobals())

/** Uploads images as a new account whose quotas are `variables`. `stored` counts its images and their R2 objects. */
async function uploader(variables: Record<string, string>) {
  const [id] = await accountsOn(1)
  const objects = async () => (await env.MEDIA.list({ prefix: 'media/' })).objects.length
  const before = await objects()
  const limit = (ctx: UserCtx) => ({ ...ctx, env: Object.assign({ ...ctx.env }, variables) })
  return {
    setAvatar: (image: Uint8Array<ArrayBuffer>) => setAvatar(limit(asUser(id)), { file: new File([image], 'me') }),
    upload: async (image: Uint8Array<ArrayBuffer>, idempotencyKey?: string): Promise<MediaView> => {
      const limited = { ...limit(asUser(id)), idempotencyKey }
      return (await uploadMedia(limited, { file: new File([image], 'dusk'), alt: '' })).value
    },
    stored: async () => [await countRows('media', { account_id: id }), (await objects()) - before],
  }
}

const exceeded = (rule: string) =>
  expect.objectContaining({ code: 'quota_exceeded', detail: expect.stringContaining(rule) })

test('exactly the daily quota of concurrent uploads is stored, and the next day has a new one', async () => {
  const { upload, stored } = await uploader({ IMAGES_PER_DAY: '3' })
  const results = await Promise.allSettled(Array.from({ length: 6 }, () => upload(png())))
  const refused = results.filter((result) => result.status === 'rejected')
  expect(refused.map(({ reason }) => reason)).toEqual(Array(3).fill(exceeded('at most 3 images a day')))
  expect(await stored()).toEqual([3, 6])
  await expect(upload(png())).rejects.toEqual(exceeded('3 images'))
  clock.advance(86_400_000)
  await upload(png())
  expect(await stored()).toEqual([4, 8])
})

test('the bytes of a day are limited too, and a refused image does not count', async () => {
  const { upload, stored } = await uploader({ IMAGE_MEGABYTES_PER_DAY: '1' })
  const large = new Uint8Array(700_000)
  large.set(jpeg())
  await upload(large)
  await expect(upload(large)).rejects.toEqual(exceeded('at most 1 MB of images a day'))
  await upload(png())
  expect(await stored()).toEqual([2, 4])
})

test('repeating an upload with its Idempotency-Key returns its image even when the quota is used up', async () => {
  const { upload, stored } = await uploader({ IMAGES_PER_DAY: '1' })
  const { id } = await upload(png(), 'once')
  expect((await upload(png(), 'once')).id).toBe(id)
  await expect(upload(png(), 'another')).rejects.toEqual(exceeded('1 images'))
  expect(await stored()).toEqual([1, 2])
})

test('avatars count as images, and a refused one leaves the current avatar and no objects', async () => {
  const { setAvatar, stored } = await uploader({ IMAGES_PER_DAY: '1' })
  const { avatarUrl } = await setAvatar(png())
  expect(avatarUrl).not.toBeNull()
  await expect(setAvatar(png())).rejects.toEqual(exceeded('1 images'))
  expect(await stored()).toEqual([1, 2])
})
