import type { Random } from './random.ts'
import { comments, replies, type Topic, topics, words } from './topics.ts'

const WITH = ['with @', 'thanks to @', 'as @ suggested', 'cc @', 'you were right, @', 'next time with @']
const HASHTAGS = 0.45
const SECOND_HASHTAG = 0.3

/** A post on one of the author's topics, sometimes with hashtags, and with a mention if `friend` is given. */
export function postText(random: Random, interests: readonly number[], friend: string | null): string {
  const topic = topics[random.pick(interests)]!
  const text = fill(random, random.pick(topic.posts))
  const mention = friend === null ? '' : ` (${random.pick(WITH).replace('@', `@${friend}`)})`
  return `${text}${mention}${hashtags(random, topic)}`
}

/** The text of a comment on a post, or, if `to` is given, of a reply to a comment by the person with that handle. */
export function commentText(random: Random, to: string | null): string {
  const text = fill(random, random.pick(to === null ? comments : replies))
  return to === null ? text : `@${to} ${text}`
}

function hashtags(random: Random, { tag, related }: Topic): string {
  if (!random.chance(HASHTAGS)) return ''
  return random.chance(SECOND_HASHTAG) ? ` #${tag} #${random.pick(related)}` : ` #${tag}`
}

function fill(random: Random, template: string): string {
  const filled = template.replace(/\{([^{}]+)\}/g, (_, choices: string) => {
    const list = words[choices] ?? choices.split('|')
    const chosen = random.pick(list)
    return words[chosen] ? random.pick(words[chosen]) : chosen
  })
  return capitalized(filled.replace(/\s+/g, ' ').trim())
}

function capitalized(text: string): string {
  return text.replace(/(^|[.!?] )(\p{Ll})/gu, (_, before: string, letter: string) => before + letter.toUpperCase())
}
