import { beforeEach } from 'vitest'
import type { Id } from '../../src/platform/data/ids.ts'
import { accountsOn } from './actors.ts'
import { queues } from './manual-queues.ts'

// New accounts for each test of a file that imports them. Ada and Cyd are on one shard, Bob is on the other.
export let ada: Id
export let bob: Id
export let cyd: Id
beforeEach(async () => {
  await queues.deliver()
  ;[ada, bob, cyd] = await accountsOn(0, 1, 0)
})
