import type { Model } from './model.ts'
import { type Network, people } from './network.ts'

export type SentMessage = { from: string; to: string; conversationId: string; id: string; isRecalled: boolean }

/** What a delivery may name, by the rules of the model alone. `authors` has all posts, also those that were deleted. */
export function makeTellingRules(
  model: Model,
  network: Network,
  authors: ReadonlyMap<string, string>,
  messages: readonly SentMessage[],
) {
  const { nameOf, handleOf } = network.readAs(null)
  const isNear = (to: string, who: string) =>
    to === who || (model.knows(to, who) && model.knows(who, to) && !model.blocks.has(`${to} ${who}`))
  const isOwn = (to: string, post: string) =>
    authors.get(post) === to || [...model.posts.values()].some(({ author, parent }) => author === to && parent === post)

  function mayReadMessage(to: string, { from, to: receiver, isRecalled }: SentMessage, isText: boolean): boolean {
    const other = receiver === to ? from : receiver
    return [from, receiver].includes(to) && isNear(to, other) && !(isText && isRecalled)
  }

  /** Whether a word is nothing that the model knows, or something that the account may know of. */
  return function mayBeTold(to: string, word: string): boolean {
    if (model.isHidden(to)) return false
    const name = nameOf(word as never) ?? people.find((each) => handleOf(each) === word) ?? word
    if (people.includes(name)) return isNear(to, name)
    if (authors.has(name)) return model.sees(to, name) || isOwn(to, name)
    const message = messages.find(({ conversationId }, i) => word === `m${i}` || conversationId === word)
    return !message || mayReadMessage(to, message, word !== message.conversationId)
  }
}

/** The words of a delivery. A post is visible with all of its text, also where it mentions somebody who is hidden. */
export const wordsOf = (text: string): string[] => text.replaceAll(/\b(p\d+) @\w+/g, '$1').match(/\w+/g) ?? []
