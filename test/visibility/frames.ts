import { expect } from 'vitest'
import type { Listening, SocketStep, Told } from './listening.ts'
import type { Model, Step } from './model.ts'
import { type Network, people } from './network.ts'

/** What there is to tell each account because of a step, whether or not it listens. */
function toldTo(name: string, step: Step, model: Model, notified: Model['notifications']): Told[] {
  const isRoot = step.do === 'post' && step.parent === null
  const isTold = isRoot && model.isFollower(name, step.who)
  const home: Told[] = isTold
    ? [{ channel: 'home', text: `post.published ${step.who} ${step.id}`, author: step.who }]
    : []
  const own = notified.filter(({ to }) => to === name)
  return [...home, ...own.map(({ kind }) => ({ channel: 'notifications' as const, text: kind }))]
}

/** The frames that each open socket should receive because of a step. */
export function expectedFrames(step: Step, model: Model, listening: Listening, notified: Model['notifications']) {
  const told = people
    .filter((name) => !model.isHidden(name))
    .map((name) => [name, listening.tell(name, toldTo(name, step, model, notified))] as const)
  return Object.fromEntries(told.filter(([name]) => listening.isOpen(name)))
}

const LINGER_MS = 60_000
const brokenAt = new Map<string, number>()

/** Expects that a socket that comes back gets what it missed, and nothing of those whom the account may not hear any more. */
export async function expectSocket(
  step: SocketStep,
  network: Network,
  model: Model,
  listening: Listening,
): Promise<void> {
  const missed = step.do === 'resume' ? listening.missedBy(step.who, model) : []
  listening.apply(step)
  const isResumed = await network.applyToSocket(step)
  const brokeAt = brokenAt.get(step.who) ?? 0
  if (step.do === 'drop') brokenAt.set(step.who, Date.now())
  // A hub forgets an account after a minute, which a slow machine may take for these steps.
  if (!isResumed) expect(Date.now() - brokeAt).toBeGreaterThanOrEqual(LINGER_MS)
  const open = people.filter(listening.isOpen)
  const expected = open.map((name) => [name, name === step.who && isResumed ? missed : []])
  expect({ step, frames: await network.receivedFrames() }).toEqual({ step, frames: Object.fromEntries(expected) })
}
