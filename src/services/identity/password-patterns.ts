const ROWS = ['1234567890-=', 'qwertyuiop[]', "asdfghjkl;'", 'zxcvbnm,./']
const UNSHIFTED = new Map([...'!@#$%^&*()_+{}:"<>?'].map((key, i) => [key, "1234567890-=[];',./"[i]!]))
const keys = new Map(ROWS.flatMap((row, y) => [...row].map((key, x) => [key, { x, y }] as const)))

/** The share of steps along the keyboard, the alphabet or the digits from which a password is too easy to guess. */
const MOST_STEPS = 0.8
const REPETITION = /^(.+?)\1+.{0,4}$/u

/** Whether a text repeats itself, like `abc123abc123abc1`. */
export function isRepeated(text: string): boolean {
  return REPETITION.test(text)
}

/** Whether a text follows the keyboard or a sequence, like `1qaz2wsx3edc4rfv` or `abcdefgh12345678`. */
export function isWalk(text: string): boolean {
  const characters = [...text]
  const steps = characters.slice(1).filter((key, i) => isStep(characters[i]!, key))
  return steps.length >= MOST_STEPS * (characters.length - 1)
}

function isStep(a: string, b: string): boolean {
  if (/[a-z0-9]{2}/.test(a + b) && Math.abs(a.charCodeAt(0) - b.charCodeAt(0)) <= 1) return true
  const [from, to] = [keyOf(a), keyOf(b)]
  return !!from && !!to && Math.abs(from.x - to.x) <= 1 && Math.abs(from.y - to.y) <= 1
}

const keyOf = (key: string) => keys.get(UNSHIFTED.get(key) ?? key)
