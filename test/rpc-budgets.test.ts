import { expect, test, vi } from 'vitest'
import { noCost } from '../src/platform/observability/cost.ts'
import type { RpcResult } from '../src/rpc.ts'
import { accountsOn } from './support/actors.ts'
import { expectWithin } from './support/budgets.ts'
import { publishedId } from './support/posting.ts'
import { bindings } from './support/rpc.ts'

// Checks the budgets of calls by other Workers in docs/architecture.md.

const costOf = async (call: Promise<RpcResult<unknown>>) => {
  const { ok, cost } = await call
  expect(ok).toBe(true)
  return cost ?? noCost()
}

test('a call costs what its request costs, and once a minute one trip that reads the account', async () => {
  vi.spyOn(Date, 'now').mockReturnValue(Date.now()) // the minute must not pass
  const { POSTS, USERS } = bindings()
  const [author, reader] = await accountsOn(0, 1)
  const postId = await publishedId(author)
  const call = { as: reader }
  const first = await costOf(POSTS.getPost({ postId }, call))
  expectWithin('first call of an account', first, { trips: 1 + 1, rowsRead: 8 + 1, objectCalls: 1 })
  expectWithin('read a post', await costOf(POSTS.getPost({ postId }, call)), { trips: 1, rowsRead: 8 })
  const write = { trips: 1, rowsRead: 8, rowsWritten: 5, objectCalls: 1, queueMessages: 1 }
  expectWithin('create a post', await costOf(POSTS.createPost({ text: 'hello' }, call)), write)
  expectWithin('read of the system', await costOf(POSTS.getPost({ postId })), { trips: 1, rowsRead: 8, objectCalls: 1 })
  const accounts = await costOf(USERS.getAccounts({ ids: [author, reader] }))
  expectWithin('two accounts', accounts, { trips: 2, rowsRead: 10 })
})
