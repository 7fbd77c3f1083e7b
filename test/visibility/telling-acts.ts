import fc from 'fast-check'
import { defaults, Intent } from './intents.ts'
import { people } from './network.ts'

// What people do before something is delivered to them: what the model knows, and messages. `send` sends all that waits.

const Person = fc.constantFrom(...people)
const Own = fc.record({
  do: fc.constantFrom('message', 'message', 'recall', 'send'),
  who: Person,
  whom: Person,
  pick: fc.nat(),
})
type Own = typeof Own extends fc.Arbitrary<infer T> ? T : never
export type Act = Intent | Own
export const Act: fc.Arbitrary<Act> = fc.oneof({ weight: 3, arbitrary: Intent }, { weight: 2, arbitrary: Own })

const act = (who: string, what: Intent['do'], whom: string, more: Partial<Intent> = {}): Intent => ({
  ...defaults,
  do: what,
  who,
  whom,
  ...more,
})
const own = (who: string, what: Own['do'], whom: string, pick = 0): Own => ({ do: what, who, whom, pick })
const send = own('ada', 'send', 'ada')

const allKinds: Act[] = [
  act('ada', 'post', 'bob'),
  act('cyd', 'post', 'bob'),
  act('bob', 'follow', 'ada'),
  act('bob', 'like', 'ada'),
  act('bob', 'comment', 'ada', { mention: 'cyd' }),
  act('bob', 'like', 'cyd', { pick: 1 }),
  own('ada', 'message', 'bob'),
  own('cyd', 'message', 'bob'),
]

/** Everything is sent, one by one. Then a block hides the rest from its reader. */
export const sentThenBlocked: Act[] = [
  ...allKinds.flatMap((each) => [each, send]),
  own('bob', 'message', 'ada'),
  send,
  own('cyd', 'message', 'ada'),
  act('cyd', 'post', 'ada', { mention: 'ada' }),
  act('cyd', 'follow', 'ada'),
  act('cyd', 'like', 'ada'),
  act('ada', 'block', 'cyd', { pick: 5 }),
  send,
]

/** Everything waits until its actor is suspended or has left, or the message was deleted. */
export const hiddenBeforeSent: Act[] = [
  ...allKinds,
  own('bob', 'message', 'ada'),
  own('ada', 'recall', 'bob', 0),
  act('ada', 'suspend', 'bob'),
  act('cyd', 'leave', 'cyd'),
  send,
  act('ada', 'lift', 'bob'),
  send,
]
