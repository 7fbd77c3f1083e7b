import { performance } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Answer, Request, Sent } from './user.ts'
import { user } from './user.ts'

export type Target = { port: number; tokens: string[]; next: () => Request; thinkMs: number }
/** Times in ms. `refused` got 503 with `Retry-After`; anything else but a success is `wrong`, with an example. */
export type Outcome = {
  rate: number
  accepted: number
  p50: number
  p95: number
  refused: number
  wrong: number
  example: string | null
}
/** What the server acknowledged: the ids of posts, and likes as `post actor`. */
export type Acknowledged = { posts: Set<string>; likes: Set<string> }

/** People who use the service until `leave`. More may join, and all answers are kept with their times. */
export class Crowd {
  readonly acknowledged: Acknowledged = { posts: new Set(), likes: new Set() }
  private readonly target: Target
  private readonly sent: Sent[] = []
  private readonly groups: { end: AbortController; all: Promise<unknown> }[] = []
  private joined = 0

  constructor(target: Target) {
    this.target = target
  }

  join(count: number): void {
    const end = new AbortController()
    const { port, tokens, ...habits } = this.target
    const one = () => {
      const number = this.joined++ % tokens.length
      const report = (sent: Sent) => {
        this.keep(sent, number)
        this.sent.push(withoutBody(sent))
      }
      return user(port, { ...habits, token: tokens[number]! }, { signal: end.signal, report })
    }
    this.groups.push({ end, all: Promise.all(Array.from({ length: count }, one)) })
  }

  /** The group that joined last leaves, after its answers have come. */
  async leave(): Promise<void> {
    const group = this.groups.pop()
    group?.end.abort()
    await group?.all
  }

  private keep({ request, answer }: Sent, person: number): void {
    if (!answer || answer.status > 299 || request.method === 'GET') return
    const [, liked] = /\/posts\/(\d+)\/like$/.exec(request.path) ?? []
    if (liked) this.acknowledged.likes.add(`${liked} ${person}`)
    else this.acknowledged.posts.add(/"id":"(\d+)"/.exec(answer.body)![1]!)
  }

  /** What happened in the next `seconds`. */
  async observe(seconds: number): Promise<Outcome> {
    const from = performance.now()
    await sleep(seconds * 1_000)
    return this.since(from, seconds)
  }

  private since(from: number, seconds: number): Outcome {
    const answers = this.sent.filter(({ at }) => at >= from)
    const accepted = answers.filter(({ answer }) => answer && answer.status < 300)
    const wrong = answers.filter(({ answer }) => !answer || (answer.status > 299 && !isRefusal(answer)))
    const times = accepted.map(({ ms }) => ms).sort((a, b) => a - b)
    const at = (part: number) => times[Math.floor(times.length * part)] ?? 0
    const [first] = wrong
    return {
      rate: answers.length / seconds,
      accepted: accepted.length,
      p50: at(0.5),
      p95: at(0.95),
      refused: answers.length - accepted.length - wrong.length,
      wrong: wrong.length,
      example: first ? `${first.request.method} ${first.request.path}: ${exampleOf(first.answer)}` : null,
    }
  }

  /** The seconds after `from` until a second passes without a refusal and with a p95 of at most `slowMs`, for good. */
  recoveryAfter(from: number, slowMs: number): number {
    const bySecond = Map.groupBy(
      this.sent.filter(({ at }) => at >= from),
      ({ at }) => Math.floor((at - from) / 1_000),
    )
    const isBad = (answers: Sent[]) => {
      const slow = answers.filter(({ ms }) => ms > slowMs).length
      return slow > answers.length / 20 || answers.some(({ answer }) => !answer || answer.status > 299)
    }
    return 1 + Math.max(-1, ...[...bySecond].flatMap(([second, answers]) => (isBad(answers) ? second : [])))
  }
}

const isRefusal = ({ status, retryAfter }: Answer) => status === 503 && retryAfter !== null
const exampleOf = (answer: Answer | null) => (answer ? `${answer.status} ${answer.body}` : 'no answer')
const withoutBody = ({ answer, ...sent }: Sent): Sent => ({
  ...sent,
  answer: answer && { ...answer, body: answer.status > 299 ? answer.body.slice(0, 200) : '' },
})
