import fc from 'fast-check'
import { type Listening, type SocketStep, socketKinds, socketStepOf } from './listening.ts'
import type { Model, Step } from './model.ts'
import { people } from './network.ts'

// A random history is a list of intents. Each one becomes a step that fits the current state of the model.

export const kinds = [
  ...(['follow', 'unfollow', 'block', 'unblock', 'suspend', 'lift', 'leave', 'return'] as const),
  ...(['post', 'comment', 'like', 'unlike', 'delete'] as const),
  ...socketKinds,
]
const frequentKinds = [
  ...(['follow', 'follow', 'block', 'suspend', 'lift', 'lift', 'leave', 'return', 'return'] as const),
  ...(['post', 'post', 'comment', 'comment', 'comment', 'like'] as const),
]
const Person = fc.constantFrom(...people)

export const Intent = fc.record({
  do: fc.constantFrom(...kinds, ...frequentKinds),
  who: Person,
  whom: Person,
  open: fc.boolean(),
  mention: fc.option(Person),
  pick: fc.nat(),
  /** Whether the isolate lives long enough to run the deferred work of the step. */
  survives: fc.boolean(),
  seed: fc.nat(),
})
export type Intent = typeof Intent extends fc.Arbitrary<infer T> ? T : never

export const defaults = { open: true, mention: null, pick: 0, survives: true, seed: 1 }

/** A history with every kind of step, run before the random histories. */
export const everyKind: Intent[] = [
  { ...defaults, do: 'post', who: 'ada', whom: 'bob' },
  { ...defaults, do: 'follow', who: 'bob', whom: 'ada' },
  { ...defaults, do: 'comment', who: 'bob', whom: 'ada' },
  { ...defaults, do: 'like', who: 'cyd', whom: 'ada' },
  { ...defaults, do: 'unlike', who: 'cyd', whom: 'ada' },
  { ...defaults, do: 'unfollow', who: 'bob', whom: 'ada' },
  { ...defaults, do: 'block', who: 'ada', whom: 'bob' },
  { ...defaults, do: 'unblock', who: 'ada', whom: 'bob' },
  { ...defaults, do: 'suspend', who: 'ada', whom: 'cyd' },
  { ...defaults, do: 'lift', who: 'ada', whom: 'cyd' },
  { ...defaults, do: 'leave', who: 'ada', whom: 'ada' },
  { ...defaults, do: 'return', who: 'ada', whom: 'ada' },
  { ...defaults, do: 'delete', who: 'ada', whom: 'bob', pick: 1 },
]

/** Likes are withdrawn after an unfollow, a block or a suspension hides the liked posts. One post is liked again. */
export const hiddenLikes: Intent[] = [
  { ...defaults, do: 'post', who: 'ada', whom: 'bob', open: false },
  { ...defaults, do: 'post', who: 'cyd', whom: 'bob' },
  { ...defaults, do: 'follow', who: 'bob', whom: 'ada' },
  { ...defaults, do: 'like', who: 'bob', whom: 'ada', pick: 0 },
  { ...defaults, do: 'like', who: 'bob', whom: 'cyd', pick: 1 },
  { ...defaults, do: 'unfollow', who: 'bob', whom: 'ada' },
  { ...defaults, do: 'unlike', who: 'bob', whom: 'ada', pick: 0, survives: false },
  { ...defaults, do: 'block', who: 'cyd', whom: 'bob', pick: 4 },
  { ...defaults, do: 'unlike', who: 'bob', whom: 'cyd', pick: 1 },
  { ...defaults, do: 'unblock', who: 'cyd', whom: 'bob' },
  { ...defaults, do: 'like', who: 'bob', whom: 'cyd', pick: 1 },
  { ...defaults, do: 'suspend', who: 'ada', whom: 'cyd' },
  { ...defaults, do: 'unlike', who: 'bob', whom: 'cyd', pick: 1 },
  { ...defaults, do: 'lift', who: 'ada', whom: 'cyd' },
]

/** An account that waits for its erasure is suspended too; it is visible only after both have ended. */
export const hiddenTwice: Intent[] = [
  { ...defaults, do: 'post', who: 'ada', whom: 'bob' },
  { ...defaults, do: 'follow', who: 'bob', whom: 'ada' },
  { ...defaults, do: 'comment', who: 'bob', whom: 'ada' },
  { ...defaults, do: 'like', who: 'ada', whom: 'bob', pick: 1 },
  { ...defaults, do: 'leave', who: 'ada', whom: 'bob', survives: false },
  { ...defaults, do: 'unfollow', who: 'bob', whom: 'ada' },
  { ...defaults, do: 'suspend', who: 'bob', whom: 'ada' },
  { ...defaults, do: 'return', who: 'ada', whom: 'bob' },
  { ...defaults, do: 'lift', who: 'bob', whom: 'ada' },
  { ...defaults, do: 'return', who: 'ada', whom: 'bob' },
]

/** Sockets join and leave channels, break, and resume after posts, a notification, an unfollow, a block and a suspension. */
export const comingBack: Intent[] = [
  { ...defaults, do: 'follow', who: 'bob', whom: 'ada' },
  { ...defaults, do: 'part', who: 'bob', whom: 'ada', pick: 0 },
  { ...defaults, do: 'post', who: 'ada', whom: 'bob' },
  { ...defaults, do: 'join', who: 'bob', whom: 'ada', pick: 0 },
  { ...defaults, do: 'drop', who: 'bob', whom: 'ada' },
  { ...defaults, do: 'post', who: 'ada', whom: 'bob', mention: 'bob' },
  { ...defaults, do: 'resume', who: 'bob', whom: 'ada' },
  { ...defaults, do: 'follow', who: 'bob', whom: 'cyd' },
  { ...defaults, do: 'part', who: 'bob', whom: 'ada', pick: 1 },
  { ...defaults, do: 'drop', who: 'bob', whom: 'ada' },
  { ...defaults, do: 'post', who: 'cyd', whom: 'bob', mention: 'bob' },
  { ...defaults, do: 'post', who: 'ada', whom: 'bob' },
  { ...defaults, do: 'block', who: 'ada', whom: 'bob', pick: 1 },
  { ...defaults, do: 'post', who: 'ada', whom: 'bob' },
  { ...defaults, do: 'resume', who: 'bob', whom: 'ada' },
  { ...defaults, do: 'drop', who: 'cyd', whom: 'ada' },
  { ...defaults, do: 'suspend', who: 'ada', whom: 'cyd' },
  { ...defaults, do: 'resume', who: 'cyd', whom: 'ada' },
  { ...defaults, do: 'lift', who: 'ada', whom: 'cyd' },
]

/** Two accounts block and unblock each other, and a suspended account is unfollowed and blocked. */
export const mutualBlocks: Intent[] = [
  { ...defaults, do: 'post', who: 'ada', whom: 'bob' },
  { ...defaults, do: 'post', who: 'bob', whom: 'ada' },
  { ...defaults, do: 'block', who: 'ada', whom: 'bob' },
  { ...defaults, do: 'block', who: 'bob', whom: 'ada', survives: false },
  { ...defaults, do: 'unblock', who: 'ada', whom: 'bob', survives: false },
  { ...defaults, do: 'follow', who: 'bob', whom: 'ada' },
  { ...defaults, do: 'unblock', who: 'bob', whom: 'ada' },
  { ...defaults, do: 'follow', who: 'bob', whom: 'ada' },
  { ...defaults, do: 'suspend', who: 'cyd', whom: 'ada' },
  { ...defaults, do: 'unfollow', who: 'bob', whom: 'ada' },
  { ...defaults, do: 'block', who: 'bob', whom: 'ada' },
  { ...defaults, do: 'lift', who: 'cyd', whom: 'ada' },
]

/** Comments address accounts that may not read the root: they do not follow or are blocked, or the root is deleted. */
export const addressed: Intent[] = [
  { ...defaults, do: 'post', who: 'ada', whom: 'bob', open: false, mention: 'bob' },
  { ...defaults, do: 'comment', who: 'bob', whom: 'ada' },
  { ...defaults, do: 'follow', who: 'cyd', whom: 'ada' },
  { ...defaults, do: 'comment', who: 'cyd', whom: 'bob', pick: 1 },
  { ...defaults, do: 'post', who: 'ada', whom: 'bob' },
  { ...defaults, do: 'comment', who: 'cyd', whom: 'ada', pick: 3, mention: 'bob' },
  { ...defaults, do: 'comment', who: 'ada', whom: 'cyd', pick: 4 },
  { ...defaults, do: 'unfollow', who: 'cyd', whom: 'ada' },
  { ...defaults, do: 'comment', who: 'cyd', whom: 'bob', pick: 2 },
  { ...defaults, do: 'block', who: 'ada', whom: 'bob', pick: 2 },
  { ...defaults, do: 'comment', who: 'bob', whom: 'cyd', pick: 4 },
  { ...defaults, do: 'unblock', who: 'ada', whom: 'bob' },
  { ...defaults, do: 'delete', who: 'ada', whom: 'bob', pick: 0 },
  { ...defaults, do: 'delete', who: 'bob', whom: 'bob', pick: 0 },
  { ...defaults, do: 'delete', who: 'ada', whom: 'bob', pick: 1 },
]

function picked<T>(items: Iterable<T>, pick: number): T | undefined {
  const all = [...items]
  return all[pick % all.length]
}

/** Turns an intent into a step. Null when no step fits, for example because the acting account is suspended. */
export function stepOf(intent: Intent, model: Model, number: number, listening: Listening): Step | SocketStep | null {
  const { do: what, who, whom, open, mention, pick } = intent
  if (what === 'join' || what === 'part' || what === 'drop' || what === 'resume')
    return socketStepOf(intent, model.people, listening)
  if (what === 'suspend') return { do: what, whom }
  if (what === 'lift') return { do: what, whom: picked(model.suspended, pick) ?? whom }
  if (what === 'return') return { do: what, whom: picked(model.left, pick) ?? whom }
  if (what === 'follow' || what === 'unfollow' || what === 'block' || what === 'unblock') {
    const step = pairOf(intent, model)
    return step.who === step.whom || model.isHidden(step.who) ? null : { do: what, ...step }
  }
  if (model.isHidden(who)) return null
  if (what === 'leave') return { do: what, whom: who }
  if (what === 'post') return { do: what, who, id: `p${number}`, open, parent: null, mention }
  const id = picked(model.posts.keys(), pick)
  if (id === undefined) return null
  if (what === 'comment') return { do: 'post', who, id: `p${number}`, open, parent: id, mention }
  return { do: what, who: what === 'delete' && pick % 2 ? model.posts.get(id)!.author : who, id }
}

/** Who acts on whom. Every kind except `follow` picks an existing follow or block, if there is one. */
function pairOf({ do: what, who, whom, pick }: Intent, { follows, blocks }: Model): { who: string; whom: string } {
  const isReturn = what === 'block' && pick % 3 === 0
  const existing = what === 'unblock' || isReturn ? blocks : what === 'follow' ? [] : follows
  const [first, second] = picked(existing, pick)?.split(' ') ?? [who, whom]
  const [a, b] = [first!, second!]
  return isReturn || (what === 'block' && pick % 2) ? { who: b, whom: a } : { who: a, whom: b }
}
