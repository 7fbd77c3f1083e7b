import { expect, test } from 'vitest'
import { createPost } from '../../../src/services/posts/posts.ts'
import { count, draft, shards, townsman } from '../../support/town.ts'

test('an author suspended a moment ago, whose token still holds, publishes nothing', async () => {
  const ada = await townsman('ada', 0)
  await shards[0]!.prepare('update accounts set suspended_at = 1 where id = ?').bind(Number(ada.id)).run()
  await expect(createPost(ada.ctx, draft({ text: 'too late' }))).rejects.toMatchObject({ code: 'suspended' })
  expect(
    await count(
      'select (select count(*) from posts) + (select count(*) from feed_index) + (select count(*) from outbox) n',
    ),
  ).toBe(0)
})
