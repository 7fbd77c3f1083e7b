import { env } from 'cloudflare:workers'
import { beforeEach, expect, test, vi } from 'vitest'
import type { Id } from '../../../src/platform/data/ids.ts'
import type { Code } from '../../../src/platform/failures.ts'
import type { PostCreation } from '../../../src/services/posts/posts.ts'
import { postMaxLength } from '../../../src/services/posts/variables.ts'
import { accountsOn } from '../../support/actors.ts'
import { fetchWith } from '../../support/client.ts'
import { countRows } from '../../support/databases.ts'
import { queues } from '../../support/manual-queues.ts'
import { pendingEvents } from '../../support/outboxes.ts'
import { publish, publishedId } from '../../support/posting.ts'
import { seedImages } from '../../support/seed.ts'
import { failure } from '../../support/viewers.ts'

let ada: Id
let bob: Id
beforeEach(async () => {
  await queues.deliver()
  ;[ada, bob] = await accountsOn(0, 1)
})

test('the length of a text is counted in grapheme clusters', async () => {
  const limit = postMaxLength(queues.context())
  for (const letter of ['x', 'é', '👩‍👩‍👧', '🇫🇷']) {
    expect((await publish(ada, { text: letter.repeat(limit) })).text).toBe(letter.normalize('NFC').repeat(limit))
    await expect(publish(ada, { text: letter.repeat(limit + 1) })).rejects.toEqual(failure('invalid'))
  }
})

test('the bytes of a text are limited too, and the error names the exceeded limit', async () => {
  const errorOf = (text: string) =>
    publish(ada, { text }).catch(({ extra }: { extra: { errors: { message: string }[] } }) => extra.errors[0]!.message)
  const giant = Array(13_000).fill('👩').join('\u200d')
  expect(await errorOf(giant)).toBe('takes 90997 bytes in UTF-8, which is more than 10000')
  expect(await errorOf('x'.repeat(50_000))).toBe('is longer than 500 characters')
  expect(await countRows('posts', { author_id: ada })).toBe(0)
  const full = '👩‍👩‍👧'.repeat(499)
  expect((await publish(ada, { text: full })).text).toBe(full)
})

test('separators in a text become line feeds and spaces', async () => {
  const text = 'one\r\ntwo\vthree\u0085four\u2029five\tsix\u200b'
  expect((await publish(ada, { text })).text).toBe('one\ntwo\nthree\nfour\nfive six')
})

test('more than 30 combining marks on a letter are refused before the text is normalized', async () => {
  const marked = (marks: number) => `a${'\u0301\u0316'.repeat(marks / 2)}`
  expect((await publish(ada, { text: marked(30) })).text).toHaveLength(30)
  // Normalizing sorts the marks in quadratic time, so a text with too many marks must be refused first.
  const normalize = vi.spyOn(String.prototype, 'normalize')
  await expect(publish(ada, { text: marked(39_998) })).rejects.toEqual(failure('invalid'))
  expect(normalize).not.toHaveBeenCalled()
  normalize.mockRestore()
})

test('a post without content, with 21 mentions, an invisible parent or unusable images is not created', async () => {
  const [own, foreign] = (await seedImages([ada, bob])) as [Id, Id]
  const hidden = await publishedId(bob, { visibility: 'followers' })
  await queues.deliver()
  const tags = '#a '.repeat(51)
  const attempts: [Partial<PostCreation>, Code][] = [
    [{ text: ' \u0000\n' }, 'invalid'],
    [{ text: tags }, 'invalid'],
    [{ parentId: hidden }, 'not_found'],
    [{ media: [own, own] }, 'invalid'],
    [{ media: [own, foreign] }, 'invalid'],
    [{ media: [hidden] }, 'invalid'],
  ]
  for (const [input, code] of attempts) await expect(publish(ada, input)).rejects.toEqual(failure(code))
  expect([await countRows('posts', { author_id: ada }), await pendingEvents()]).toEqual([0, 0])

  const { media } = await publish(ada, { text: '', media: [own] })
  expect(media.map(({ id }) => id)).toEqual([own])
  await expect(publish(ada, { media: [own] })).rejects.toEqual(failure('invalid'))
  expect(await countRows('posts', { author_id: ada })).toBe(1)
})

test('clients can read the configured limits of a post', async () => {
  const response = await fetchWith({ ...env, POST_MAX_LENGTH: '280' }, '/v1/limits')
  expect(await response.json()).toEqual({
    postLength: 280,
    postBytes: 5_600,
    postImages: 4,
    postsPerDay: 1_000,
    imagesPerDay: 500,
    imageMegabytesPerDay: 1_000,
  })
})
