import { lookOf, readings } from '../../platform/data/confusables.ts'
import { defineAction } from '../../platform/security/actions.ts'

export const approveRegistrations = defineAction('registrations:approve', {
  allows: 'List, approve and reject registrations that wait',
  role: 'moderator',
})

const looksOf = (...names: string[]) => new Set(names.flatMap((name) => name.split(' ')).map(lookOf))

/**
 * A name of only `roles` and `fillers` is official. A word of `titlesOfStaff` makes any name official. They are computed on
 * first use, because most isolates never compare names.
 */
const makeWords = () => ({
  nameOfService: lookOf('socialconnect'),
  titlesOfStaff: looksOf(
    'admin admins administrator administrators administration moderator moderators sysadmin sysadmins superuser',
  ),
  roles: looksOf(
    'support staff official officials security moderation mod mods verified system operator operators helpdesk help',
    'billing abuse trustsafety trustandsafety customerservice customercare',
  ),
  fillers: looksOf(
    'the of and a our site network team user users customer account accounts service services center centre desk care',
    'trust safety real no reply',
  ),
})
let known: ReturnType<typeof makeWords> | null = null

function officialWords() {
  known ??= makeWords()
  return known
}

/** Whether a name looks like that of the service or of its staff, whatever characters it is written with. */
export function isOfficialName(name: string): boolean {
  const spaced = name.replace(/(\p{Ll})(\p{Lu})/gu, '$1 $2').replaceAll('_', ' ')
  return [name, spaced].flatMap(readings).some((reading) => isOfficial(wordsOf(reading)))
}

/** Joins single letters in a row into one word, as in `a.d.m.i.n`. */
function wordsOf(reading: string): string[] {
  const merged: string[] = []
  let last = ''
  for (const word of reading.split(/[^\p{L}]+/u).filter(Boolean)) {
    if (word.length === 1 && last.length === 1) merged.push(`${merged.pop()}${word}`)
    else merged.push(word)
    last = word
  }
  return merged.map(lookOf)
}

function isOfficial(words: readonly string[]): boolean {
  const { titlesOfStaff, roles, fillers } = officialWords()
  const whole = words.join('')
  if (titlesOfStaff.has(whole) || roles.has(whole) || words.some((word) => titlesOfStaff.has(word))) return true
  if (words.some((word) => roles.has(word)) && words.every((word) => roles.has(word) || fillers.has(word))) return true
  return words.some((_, from) => namesService(words.slice(from)))
}

function namesService(words: readonly string[]): boolean {
  const { nameOfService } = officialWords()
  const [first = ''] = words
  return first.includes(nameOfService) || words.some((_, i) => words.slice(0, i + 1).join('') === nameOfService)
}

export const credentialsOnly = 'People give their credentials to their own client only'
export const loginOnly = 'A call by another Worker belongs to no login'
export const addressOnly = 'The email address is for its owner only'
