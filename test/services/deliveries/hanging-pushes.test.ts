import { expect, test } from 'vitest'
import type { Id } from '../../../src/platform/data/ids.ts'
import { likePost } from '../../../src/services/posts/likes.ts'
import { accountsOn } from '../../support/actors.ts'
import { runDue, statesOf } from '../../support/deliveries.ts'
import { queues } from '../../support/manual-queues.ts'
import { publishedId } from '../../support/posting.ts'
import { browser, local, usePushService } from '../../support/push-service.ts'
import { ada, bob, cyd } from '../../support/trio.ts'
import { asUser } from '../../support/viewers.ts'

const service = usePushService()
const HANG_MS = 2_000
const hosts = Array.from({ length: 20 }, (_, n) => `127.0.0.1:${8_800 + n}`)
/** The clock of the consumer: only a host that hangs lets time pass. */
let passed = 0

function hang(isHanging: (host: string) => boolean): void {
  passed = 0
  service.answer = (_, host) => {
    if (!isHanging(host)) return new Response(null, { status: 201 })
    passed += HANG_MS
    return Promise.reject(new DOMException('too slow', 'TimeoutError'))
  }
}

const push = (minutes: number) =>
  runDue(minutes, {
    ctx: local(queues.context(), [...hosts, '127.0.0.1:8900', '127.0.0.1:8901']),
    passed: () => passed,
  })

async function liked(author: Id, by: Id): Promise<void> {
  await likePost(asUser(by), { postId: await publishedId(author) })
  await queues.deliver()
}

test('with 19 devices whose services hang, a delivery takes six seconds, and the other device gets it', async () => {
  for (const [n, host] of hosts.entries()) await browser(ada, `device-${n}`, host)
  hang((host) => host !== hosts[19])
  await liked(ada, bob)
  await push(0)
  expect([service.sent.length, passed]).toEqual([3, 3 * HANG_MS])
  const reached = () => service.sent.filter(({ host }) => host === hosts[19]).length
  let longest = 0
  for (let hour = 0; hour < 30; hour++) {
    for (const minute of [2, 6, 16]) {
      const before = passed
      await push(hour * 60 + minute)
      longest = Math.max(longest, passed - before)
    }
  }
  expect([longest <= 3 * HANG_MS, reached()]).toEqual([true, 1])
})

test('a service that hung twice is not called for a minute, and other pushes are not held up', async () => {
  const authors = await accountsOn(0, 0, 0, 1, 1, 1)
  const [hanging, healthy] = ['127.0.0.1:8900', '127.0.0.1:8901']
  for (const author of authors) await browser(author, `of-${author}`, hanging)
  await browser(cyd, 'healthy', healthy)
  hang((host) => host === hanging)
  for (const author of [...authors, cyd]) await liked(author, bob)
  await push(0)
  const called = (host: string) => service.sent.filter((sent) => sent.host === host).length
  expect([called(hanging), called(healthy), passed]).toEqual([2, 1, 2 * HANG_MS])
  expect(await statesOf(cyd)).toEqual(['push sent'])
  hang(() => false)
  for (const minutes of [4, 8]) await push(minutes)
  for (const author of authors) expect(await statesOf(author)).toEqual(['push sent'])
  expect(called(healthy)).toBe(1)
})
