import fc from 'fast-check'
import { afterEach, expect, test, vi } from 'vitest'
import { DAY_MS } from '../../src/platform/data/expiry.ts'
import { deleteMessage } from '../../src/services/messaging/message-changes.ts'
import { movableClock } from '../support/clock.ts'
import { delivered, opened, say } from '../support/conversations.ts'
import { asUser } from '../support/viewers.ts'
import { startDevices } from './devices.ts'
import { type Intent, stepOf } from './intents.ts'
import { isSocketStep, makeListening } from './listening.ts'
import { makeModel } from './model.ts'
import { people, startNetwork } from './network.ts'
import { Act, hiddenBeforeSent, sentThenBlocked } from './telling-acts.ts'
import { makeTellingRules, type SentMessage, wordsOf } from './telling-rules.ts'

const RUNS = Number(process.env.VISIBILITY_RUNS || 4)
const TIMEOUT_MS = 60_000 + RUNS * 30_000

const clock = movableClock()
clock.advance(2 * DAY_MS) // alarms are then in the future of the real clock, and webhooks wait until a step sends
afterEach(() => void vi.restoreAllMocks())

const sentKinds = new Set<string>()
const withheld = new Set<string>()

async function startStory() {
  const network = await startNetwork([]) // who is online gets no mail about messages
  const [model, listening] = [makeModel(people), makeListening(people)]
  const devices = await startDevices(network)
  const { idOf } = network.readAs(null)
  const authors = new Map<string, string>()
  const messages: SentMessage[] = []
  const mayBeTold = makeTellingRules(model, network, authors, messages)

  async function message(from: string, to: string): Promise<void> {
    if (from === to || model.isHidden(from)) return
    try {
      const conversationId = await opened(idOf(from), idOf(to))
      const { id } = await say(idOf(from), conversationId, `m${messages.length}`)
      messages.push({ from, to, conversationId, id, isRecalled: false })
      await delivered(conversationId)
    } catch (error) {
      if (!['forbidden', 'not_found'].includes((error as { code: string }).code)) throw error
    }
  }

  async function recall(pick: number): Promise<void> {
    const sent = messages[pick % messages.length]
    if (!sent || sent.isRecalled || model.isHidden(sent.from)) return
    await deleteMessage(asUser(idOf(sent.from)), { messageId: sent.id })
    sent.isRecalled = true
    await delivered(sent.conversationId)
  }

  async function apply(intent: Intent): Promise<void> {
    const step = stepOf(intent, model, authors.size, listening)
    if (step === null || isSocketStep(step)) return
    const allowed = model.apply(step)
    expect({ step, allowed: await network.apply(step) }).toEqual({ step, allowed })
    if (step.do === 'post' && allowed) authors.set(step.id, step.who)
    await network.finishDeferred({ run: intent.survives })
    await network.deliver({ times: 2 })
  }

  async function send(): Promise<void> {
    clock.advance(DAY_MS)
    for (const { to, by, kinds, text } of await devices.sendAll()) {
      for (const kind of kinds) sentKinds.add(`${by} ${kind}`)
      const leaked = wordsOf(text).filter((word) => !mayBeTold(to, word))
      expect({ to, by, text, leaked }).toEqual({ to, by, text, leaked: [] })
    }
    for (const each of await devices.withheld()) withheld.add(each)
  }
  return { message, recall, apply, send }
}

async function runHistory(acts: Act[]): Promise<void> {
  const story = await startStory()
  for (const act of acts) {
    if ('seed' in act) await story.apply(act)
    else if (act.do === 'message') await story.message(act.who, act.whom)
    else if (act.do === 'recall') await story.recall(act.pick)
    else await story.send()
  }
  await story.send()
}

test(
  'mails, pushes and webhooks name only accounts, posts and messages that their reader may see when they are sent',
  async () => {
    const history = fc.array(Act, { minLength: 12, maxLength: 30, size: 'max' })
    await fc.assert(fc.asyncProperty(history, runHistory), {
      numRuns: RUNS,
      unbiased: true,
      endOnFailure: true,
      examples: [[sentThenBlocked], [hiddenBeforeSent]],
    })
    expect([...withheld]).toEqual(
      expect.arrayContaining(['mail', 'push', 'messageMail', 'messagePush', 'webhook'].map((by) => `${by} dropped`)),
    )
    const titles = ['followed you', 'liked your post', 'commented on', 'mentioned you', 'wants to message', 'sent you']
    const events = ['post.published', 'post.liked', 'post.commented', 'post.mentioned', 'account.followed']
    const all = [
      ...events.map((kind) => `webhook ${kind}`),
      ...titles.flatMap((kind) => [`mail ${kind}`, `push ${kind}`]),
    ]
    expect(all.filter((kind) => !sentKinds.has(kind))).toEqual([])
  },
  TIMEOUT_MS,
)
