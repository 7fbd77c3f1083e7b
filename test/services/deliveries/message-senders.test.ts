import { expect, test } from 'vitest'
import { blockAccount } from '../../../src/services/accounts/blocks.ts'
import { followAccount } from '../../../src/services/accounts/follows.ts'
import { planMessageDeliveries } from '../../../src/services/deliveries/statements.ts'
import { acceptConversation } from '../../../src/services/messaging/conversations.ts'
import { removeMember } from '../../../src/services/messaging/members.ts'
import { deleteMessage } from '../../../src/services/messaging/message-changes.ts'
import { accountsOn, handleOf } from '../../support/actors.ts'
import { delivered } from '../../support/conversations.ts'
import { shardHolding } from '../../support/databases.ts'
import { deliveriesOf, prefer, runDue, statesOf, withAddress } from '../../support/deliveries.ts'
import { started } from '../../support/groups.ts'
import { interceptMails } from '../../support/mails.ts'
import { queues } from '../../support/manual-queues.ts'
import { byMail, pair, sent } from '../../support/message-mails.ts'
import { asUser } from '../../support/viewers.ts'

const mails = interceptMails()
const subjectsTo = (address: string) => mails.mailsTo(address).map(({ subject }) => subject)

test('an invitation to a group is a request, and its members hear of messages without its name', async () => {
  const [owner] = await accountsOn(0)
  const { ada, bob, address } = await pair()
  await followAccount(asUser(bob), { accountId: owner })
  await queues.deliver()
  const groupId = await started(owner, [ada, bob], 'zqlooms')
  await sent(owner, groupId, 'zqone')
  await runDue(6)
  expect(subjectsTo(address)).toEqual([`${handleOf(owner)} invited you to a group`])
  await prefer(ada, { ...byMail, includeMessages: true })
  const [invited] = await accountsOn(1)
  const theirs = await withAddress(invited)
  await prefer(invited, { ...byMail, includeMessages: true })
  const other = await started(owner, [bob, invited], 'zqother')
  await delivered(other)
  await runDue(6)
  expect(JSON.stringify(mails.mailsTo(theirs))).not.toContain('zq')
  await prefer(ada, { ...byMail, includeMessages: false })
  await acceptConversation(asUser(ada), { conversationId: groupId })
  await sent(bob, groupId, 'zqtwo')
  await runDue(30)
  expect(subjectsTo(address)[1]).toMatch(/ wrote in a group$| new messages in a group$/)
  expect(JSON.stringify(mails.mailsTo(address))).not.toContain('zq')
  await sent(bob, groupId, 'zqthree')
  await removeMember(asUser(owner), { memberId: `${groupId}.${ada}` })
  await delivered(groupId)
  await runDue(60)
  expect([subjectsTo(address).length, await statesOf(ada)]).toEqual([2, ['messageMail dropped']])
})

test('what happens to the last message decides nothing about the ones before', async () => {
  const { ada, bob, id, address } = await pair()
  await sent(bob, id, 'one', 'two')
  await deleteMessage(asUser(bob), { messageId: `${id}.2` })
  await delivered(id)
  await runDue(6)
  expect([await statesOf(ada), subjectsTo(address).length]).toEqual([['messageMail sent'], 1])
})

test('further messages do not put off a mail that is due', async () => {
  const { ada, bob, id } = await pair()
  await sent(bob, id, 'one')
  const [planned] = await deliveriesOf(ada)
  await shardHolding(ada).prepare('UPDATE deliveries SET next_at = 1, attempt = 3 WHERE next_at IS NOT NULL').run()
  await sent(bob, id, 'two')
  const [row] = await deliveriesOf(ada)
  expect([row?.next_at, row?.attempt, row?.event_id !== planned?.event_id]).toEqual([2, 3, true])
})

test('who is blocked in a group does not silence the others, and is not named', async () => {
  const { ada, bob, address } = await pair()
  const [owner, cyd] = await accountsOn(0, 1)
  for (const other of [owner, cyd]) await followAccount(asUser(ada), { accountId: other })
  for (const member of [bob, cyd]) await followAccount(asUser(member), { accountId: owner })
  await queues.deliver()
  const groupId = await started(owner, [ada, bob, cyd])
  await delivered(groupId)
  await blockAccount(asUser(ada), { accountId: cyd })
  await queues.deliver()
  await sent(bob, groupId, 'one')
  await sent(cyd, groupId, 'two')
  await runDue(6)
  const [mail] = mails.mailsTo(address)
  expect(await statesOf(ada)).toEqual(['messageMail sent'])
  expect([mail?.subject.includes('in a group'), mail?.text.includes(handleOf(cyd))]).toEqual([true, false])
})

test('an inbox copy that is stored again after its mail was sent plans nothing', async () => {
  const { ada, bob, id, address } = await pair()
  await sent(bob, id, 'one')
  await runDue(6)
  const row = shardHolding(ada).prepare('SELECT version FROM conversations WHERE account_id = ?').bind(Number(ada))
  const version = (await row.first<number>('version'))!
  const news = {
    conversationId: id,
    version,
    accountIds: [ada],
    seq: 1,
    authorId: bob,
    at: Date.now(),
    isRequest: false,
  }
  const db = queues.context().db.shardOf(ada)
  for (const plan of planMessageDeliveries(db, news)) await plan
  await runDue(60)
  expect([await statesOf(ada), subjectsTo(address).length]).toEqual([['messageMail sent'], 1])
})
