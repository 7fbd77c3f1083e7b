import fc from 'fast-check'
import { beforeEach, expect, test } from 'vitest'
import type { Id } from '../../../src/platform/data/ids.ts'
import { blockAccount } from '../../../src/services/accounts/blocks.ts'
import { type Entity, entitiesOf, mentionedHandles } from '../../../src/services/posts/entities.ts'
import { createPost } from '../../../src/services/posts/posts.ts'
import { accountsOn, handleOf, markSuspended } from '../../support/actors.ts'
import { queues } from '../../support/manual-queues.ts'
import { draft, publish } from '../../support/posting.ts'
import { asUser, failure } from '../../support/viewers.ts'

// Ada and Cyd are on one shard, Bob is on the other.
let ada: Id
let bob: Id
let cyd: Id
beforeEach(async () => {
  await queues.deliver()
  ;[ada, bob, cyd] = await accountsOn(0, 1, 0)
})

/** Mentions, hashtags and links in any case and script, between words that look like them. */
const Word = fc.oneof(
  fc.constantFrom('@ada_1', '@BOB', '@nobody', '#café', '#Été2', 'https://example.org/a?b=c#d', 'http://x.io'),
  fc.constantFrom('word', '👩‍👩‍👧', '🇫🇷', 'ж', '\n', '(', ')', '.', ',', 'a@b.org', '# ', '@ ', 'ftp://x.org'),
)
const accountIds = new Map([
  ['ada_1', '1' as Id],
  ['bob', '2' as Id],
])

function writtenForm(entity: Entity): string {
  if (entity.kind === 'mention') return `@${entity.handle}`
  return entity.kind === 'hashtag' ? `#${entity.tag}` : entity.url
}

test('mentions, hashtags and links in any text have exact positions, in order and without overlap', () => {
  fc.assert(
    fc.property(fc.array(Word, { maxLength: 25 }), fc.constantFrom(' ', '  ', '\n'), (words, gap) => {
      const text = words.join(gap).normalize('NFC')
      const entities = entitiesOf(text, accountIds)
      let end = 0
      for (const entity of entities) {
        expect(entity.start).toBeGreaterThanOrEqual(end)
        end = entity.end
        const written = text.slice(entity.start, entity.end)
        expect(entity.kind === 'link' ? written : written.toLowerCase()).toBe(writtenForm(entity))
      }
      const parts = text.split(/\s+/)
      const found = (kind: Entity['kind']) => entities.filter((entity) => entity.kind === kind).length
      expect(found('mention')).toBe(parts.filter((part) => part === '@ada_1' || part === '@BOB').length)
      expect(found('hashtag')).toBe(parts.filter((part) => /^#./.test(part)).length)
      expect(found('link')).toBe(parts.filter((part) => /^https?:/.test(part)).length)
      const mentioned = entities.flatMap((entity) => (entity.kind === 'mention' ? [entity.handle] : []))
      expect(mentionedHandles(text)).toEqual(expect.arrayContaining(mentioned))
    }),
    { numRuns: 500 },
  )
})

test('a text that mentions more than 20 handles is invalid, and only its first 50 entities are kept', () => {
  const words = (prefix: string, many: number) => Array.from({ length: many }, (_, i) => `${prefix}some_${i}`)
  expect(mentionedHandles([...words('@', 20), ...words('@', 20)].join(' '))).toEqual(words('', 20))
  expect(() => mentionedHandles(words('@', 21).join(' '))).toThrow(failure('invalid'))
  const tags = words('#', 51)
  expect(entitiesOf(tags.join(' '), new Map())).toEqual(
    tags.slice(0, 50).map((tag) => expect.objectContaining({ kind: 'hashtag', tag: tag.slice(1) })),
  )
})

test('a mention in any letter case links to the account of the handle, and an unknown handle stays text', async () => {
  const handle = handleOf(bob)
  const text = `Hi @${handle.toUpperCase()} and @nobody_there #Été`
  const { entities } = await publish(ada, { text })
  expect(entities).toEqual([
    { kind: 'mention', start: 3, end: 4 + handle.length, accountId: bob, handle },
    { kind: 'hashtag', start: text.indexOf('#'), end: text.length, tag: 'été' },
  ])
})

test('a mention of an account that blocks the author or is suspended stays plain text', async () => {
  await blockAccount(asUser(bob), { accountId: ada })
  await markSuspended(cyd)
  const text = [ada, bob, cyd].map((id) => `@${handleOf(id)}`).join(' ')
  const { entities } = await publish(ada, { text })
  expect(entities.map((entity) => entity.kind === 'mention' && entity.accountId)).toEqual([ada])
})

test('words after @ that cannot be handles cause no KV read and no directory query', async () => {
  const ctx = asUser(ada)
  const text = `@a @ada-lovelace @café @${'x'.repeat(31)} @a${'\u1100'.repeat(3_000)}`
  expect((await createPost(ctx, draft({ text }))).value.entities).toEqual([])
  expect(ctx.cost).toMatchObject({ trips: 1, directoryTrips: 0, cacheReads: 0 })
})
