import { beforeAll, expect, test, vi } from 'vitest'
import type { Post } from '../../../src/services/posts/views.ts'
import { type RegisteredUser, registeredUser } from '../../support/actors.ts'
import { shardHolding } from '../../support/databases.ts'
import { mediaRow, publishWith, uploaded } from '../../support/media.ts'

let ada: RegisteredUser
let bob: RegisteredUser
beforeAll(async () => {
  ;[ada, bob] = await Promise.all([registeredUser(), registeredUser()])
})

const describe = (user: RegisteredUser, id: string, alt: string) =>
  user.fetch(`/v1/media/${id}`, { method: 'PATCH', json: { alt } })
const postOf = async (id: string): Promise<Post> => (await ada.fetch(`/v1/posts/${id}`)).json()

async function published(count: number): Promise<Post> {
  const images = await Promise.all(Array.from({ length: count }, (_, i) => uploaded(ada, undefined, `image ${i}`)))
  return (
    await publishWith(
      ada,
      images.map(({ id }) => id),
    )
  ).json()
}

test('the owner changes the alt text of an image in a post, and the rest of the post stays the same', async () => {
  const post = await published(3)
  const second = post.media[1]!
  for (const alt of ['a "quoted" dusk', 'é 👩‍🚀 \\', '']) {
    const response = await describe(ada, second.id, alt)
    expect([response.status, await response.json()]).toEqual([200, expect.objectContaining({ id: second.id, alt })])
    expect(await mediaRow(second.id)).toMatchObject({ alt })
    expect(await postOf(post.id)).toEqual({ ...post, media: post.media.with(1, { ...second, alt }) })
  }
})

test('nobody else can change the alt text of an image in a post, and no row is written', async () => {
  const post = await published(1)
  const response = await describe(bob, post.media[0]!.id, 'mine')
  expect(response.status).toBe(404)
  expect(JSON.parse(response.headers.get('x-cost')!)).toMatchObject({ rowsWritten: 0 })
  expect(await postOf(post.id)).toEqual(post)
})

test('changing the alt text of an image whose post was deleted returns 404', async () => {
  const post = await published(1)
  await ada.fetch(`/v1/posts/${post.id}`, { method: 'DELETE' })
  expect((await describe(ada, post.media[0]!.id, 'late')).status).toBe(404)
})

test('a post has the alt text that was changed after its images were read and before they were attached', async () => {
  const [image, other] = [await uploaded(ada, undefined, 'first'), await uploaded(ada, undefined, 'other')]
  const draw = crypto.getRandomValues.bind(crypto)
  let change: Promise<unknown> | null = null
  const random = vi.spyOn(crypto, 'getRandomValues').mockImplementation((array) => {
    const update = shardHolding(ada.id).prepare("update media set alt = 'second' where id = ?")
    if (array instanceof Uint16Array) change ??= update.bind(Number(image.id)).run()
    return draw(array as Uint8Array<ArrayBuffer>) && array
  })
  const post: Post = await (await publishWith(ada, [image.id, other.id])).json()
  random.mockRestore()
  await change
  expect((await postOf(post.id)).media.map(({ alt }) => alt)).toEqual(['second', 'other'])
})

test('concurrent changes leave the same alt text in the post and in the row of the image', async () => {
  const post = await published(2)
  const changes = Array.from({ length: 6 }, (_, i) => describe(ada, post.media[i % 2]!.id, `change ${i}`))
  expect((await Promise.all(changes)).map(({ status }) => status)).toEqual(Array(6).fill(200))
  const { media } = await postOf(post.id)
  for (const { id, alt } of media) expect(await mediaRow(id)).toMatchObject({ alt })
  expect(media.every(({ alt }) => alt.startsWith('change'))).toBe(true)
})
