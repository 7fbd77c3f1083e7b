import { env } from 'cloudflare:workers'
import { beforeAll, expect, test } from 'vitest'
import { type Id, toId } from '../../../src/platform/data/ids.ts'
import { PART_BYTES } from '../../../src/platform/data/part-buffer.ts'
import { objectKey } from '../../../src/services/media/objects.ts'
import { accountsOn } from '../../support/actors.ts'
import {
  filesOf,
  insertExport,
  memorySteps,
  objectsOf,
  type Place,
  run,
  statusOf,
  textOf,
} from '../../support/exports.ts'
import { queues } from '../../support/manual-queues.ts'
import { publish } from '../../support/posting.ts'
import { seedImages } from '../../support/seed.ts'

const IMAGES = 300
/** The sizes of the images of two accounts, which fill more than one part each. */
const SIZES = { many: 48_000, few: 1_200_000 }
const owners: Record<keyof typeof SIZES, Id> = { many: toId(0), few: toId(0) }

beforeAll(async () => {
  const ids = await accountsOn(0, 1)
  for (const [i, name] of (['many', 'few'] as const).entries()) {
    owners[name] = ids[i]!
    await publish(ids[i]!, { text: 'a post of the export' })
    await storeImages(ids[i]!, name === 'many' ? IMAGES : 5, SIZES[name])
  }
  await queues.deliver()
}, 120_000)

async function storeImages(owner: Id, count: number, size: number): Promise<void> {
  const ids = await seedImages(Array.from({ length: count }, () => owner))
  const httpMetadata = { contentType: 'image/png' }
  for (const [i, id] of ids.entries())
    await env.MEDIA.put(objectKey(id, 'image'), new Uint8Array(size).fill(i), { httpMetadata })
}

type Call = { method: string; bytes: number }

/** A bucket whose calls are recorded, and whose call number `lastCall` and all later ones fail. */
function mortalBucket(lastCall = Number.POSITIVE_INFINITY) {
  const calls: Call[] = []
  const mortal = <T extends object>(target: T): T =>
    new Proxy(target, {
      get: (_, name) => {
        const value: unknown = Reflect.get(target, name)
        if (typeof value !== 'function') return value
        return (...args: unknown[]) => {
          const bytes = args.find((arg) => arg instanceof Uint8Array)?.length ?? 0
          calls.push({ method: String(name), bytes })
          if (calls.length >= lastCall) throw new Error('killed')
          const made: unknown = Reflect.apply(value, target, args)
          return name === 'resumeMultipartUpload' ? mortal(made as object) : made
        }
      },
    })
  return { calls, EXPORTS: mortal(env.EXPORTS) }
}

/** The content of every file, except for those that list the exports and the audit entries about them. */
async function contentOf(place: Place): Promise<Record<string, string>> {
  const files = [...(await filesOf(place))].filter(([path]) => !['exports.json', 'audit.json'].includes(path))
  return Object.fromEntries(
    await Promise.all(files.map(async ([path, bytes]) => [path, await digest(new Uint8Array(bytes))])),
  )
}

async function digest(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  return new Uint8Array(await crypto.subtle.digest('SHA-256', bytes)).toHex()
}

test('an export of 300 images holds one part in memory, reads one image at a time, and uploads equal parts', async () => {
  const place = await insertExport(owners.many)
  const bucket = mortalBucket()
  let [open, most, largest] = [0, 0, 0]
  const MEDIA = {
    get: async (key: string) => {
      const object = (await env.MEDIA.get(key))!
      open += 1
      most = Math.max(most, open)
      const body = (async function* () {
        for await (const chunk of object.body) {
          largest = Math.max(largest, chunk.length)
          yield chunk
        }
        open -= 1
      })()
      return { body, httpMetadata: object.httpMetadata }
    },
  }
  await run(place, memorySteps(), { EXPORTS: bucket.EXPORTS, MEDIA })
  const parts = bucket.calls.filter(({ method }) => method === 'uploadPart').map(({ bytes }) => bytes)
  expect(parts).toEqual([PART_BYTES, PART_BYTES, expect.any(Number)])
  expect(parts[2]).toBeLessThan(PART_BYTES)
  expect({ most, fits: largest <= SIZES.many }).toEqual({ most: 1, fits: true })
  expect(Math.max(...bucket.calls.filter(({ method }) => method === 'put').map(({ bytes }) => bytes))).toBeLessThan(
    PART_BYTES,
  )
  const files = await filesOf(place)
  expect([...files.keys()].filter((path) => path.startsWith('media/'))).toHaveLength(IMAGES)
  expect(await objectsOf(place)).toEqual([expect.stringMatching(/archive\.zip$/)])
}, 60_000)

test('an export that is killed at any call of R2 resumes, and contains the same files', async () => {
  const whole = await insertExport(owners.few)
  const bucket = mortalBucket()
  await run(whole, memorySteps(), bucket)
  const expected = await contentOf(whole)
  expect(Object.keys(expected)).toEqual(
    expect.arrayContaining(['account.json', 'posts.json', 'media.json', 'index.html']),
  )
  const kills = bucket.calls.flatMap((call, i) =>
    i % 9 === 0 || ['uploadPart', 'complete', 'head'].includes(call.method) ? [i + 1] : [],
  )
  for (const lastCall of kills) {
    const place = await insertExport(owners.few)
    const steps = memorySteps()
    const killed = {
      ...steps,
      do: ((name: string, ...rest: unknown[]) => {
        if (name === 'fail' || name === 'clean up') throw new Error('the process is gone')
        return Reflect.apply(steps.do, steps, [name, ...rest])
      }) as typeof steps.do,
    }
    await expect(run(place, killed, mortalBucket(lastCall))).rejects.toThrow()
    await run(place, steps)
    expect({ lastCall, status: await statusOf(place) }).toEqual({ lastCall, status: 'ready' })
    expect(await contentOf(place)).toEqual(expected)
  }
}, 240_000)

test('an export whose steps keep failing is marked as failed and leaves no object', async () => {
  const place = await insertExport(owners.few)
  const MEDIA = {
    get: async () => {
      throw new Error('the bucket is down')
    },
  }
  await run(place, memorySteps(), { MEDIA })
  expect(await statusOf(place)).toBe('failed')
  expect((await objectsOf(place)).filter((key) => key.includes(place.exportId))).toEqual([])
})

test('an export of an account that was erased meanwhile leaves no object and sends no mail', async () => {
  const [owner] = await accountsOn(0)
  const place = await insertExport(owner)
  const steps = memorySteps()
  const erasing = {
    ...steps,
    do: (async (name: string, ...rest: unknown[]) => {
      if (name === 'complete')
        await env.DIRECTORY.prepare('DELETE FROM exports WHERE id = ?').bind(Number(place.exportId)).run()
      return Reflect.apply(steps.do, steps, [name, ...rest])
    }) as typeof steps.do,
  }
  await run(place, erasing)
  expect((await objectsOf(place)).filter((key) => key.includes(place.exportId))).toEqual([])
  expect(
    await env.DIRECTORY.prepare('SELECT count(*) n FROM mails WHERE account_id = ?').bind(Number(owner)).first('n'),
  ).toBe(0)
})

test('the page escapes HTML in texts', async () => {
  const [author] = await accountsOn(1)
  await publish(author, { text: '<script>alert("x")</script> & more' })
  await queues.deliver()
  const place = await insertExport(author)
  await run(place)
  const page = textOf((await filesOf(place)).get('index.html'))
  expect(page).toContain('&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt; &amp; more')
  expect(page).not.toContain('<script')
})
