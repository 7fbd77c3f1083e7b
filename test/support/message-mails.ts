import type { Id } from '../../src/platform/data/ids.ts'
import { followAccount } from '../../src/services/accounts/follows.ts'
import { accountsOn } from './actors.ts'
import { delivered, opened, say } from './conversations.ts'
import { prefer, withAddress } from './deliveries.ts'
import { queues } from './manual-queues.ts'
import { asUser } from './viewers.ts'

export const byMail = { rules: { message: { mail: 'everyone' }, messageRequest: { mail: 'everyone' } } } as const

export type Pair = { ada: Id; bob: Id; id: string; address: string }

/** Ada wants mails, and follows bob, so what bob writes is no request. */
export async function pair(): Promise<Pair> {
  const [ada, bob] = await accountsOn(0, 1)
  const address = await withAddress(ada)
  await prefer(ada, byMail)
  await followAccount(asUser(ada), { accountId: bob })
  await queues.deliver()
  return { ada, bob, address, id: await opened(bob, ada) }
}

export async function sent(by: Id, conversationId: string, ...texts: string[]) {
  for (const text of texts) await say(by, conversationId, text)
  await delivered(conversationId)
}
