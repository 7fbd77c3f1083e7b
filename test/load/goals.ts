import { atMost, type Figure } from '../bench/figures.ts'
import type { Outcome } from './phase.ts'

const [FAST_MS, BEARABLE_MS, RECOVERED_S] = [200, 500, 5]
/** The service has recovered when its p95 is at most this. */
export const RECOVERY_MS = FAST_MS
const SHARE = 0.3

type Measured = {
  oneRow: { rate: number; cpu: number }
  people: number
  normal: Outcome
  double: Outcome
  recovery: number
  cpu: number
}

const round = (value: number, digits = 0) => Number(value.toFixed(digits))

/** The table of `npm run test:load`. */
export function figuresOf({ oneRow, people, normal, double, recovery, cpu }: Measured): Figure[] {
  const ratio = (rate: number) => round(rate / oneRow.rate, 2)
  const share = ratio(normal.rate)
  const failed = normal.refused + normal.wrong
  return [
    { what: 'one-row selects', value: `${round(oneRow.rate)} a second`, isMet: null },
    {
      what: `${people} people`,
      value: `${round(normal.rate)} requests a second, ${share} of one-row selects`,
      goal: `at least ${SHARE}, with the next lines`,
      isMet: share >= SHARE - 0.02,
    },
    {
      what: '- answers',
      value: `p50 ${round(normal.p50)}, p95 ${round(normal.p95)} ms`,
      ...atMost(round(normal.p95), FAST_MS, ' ms (p95)'),
    },
    {
      what: '- CPU of an answer, with what follows it',
      value: `${round(cpu, 2)} ms`,
      baseline: `${round(oneRow.cpu, 2)} ms, one row`,
      isMet: null,
    },
    { what: '- refused or failed', value: `${failed}`, ...atMost(failed, 0) },
    {
      what: `${2 * people} people`,
      value: `${round(double.rate)} requests a second, ${ratio(double.rate)} of one-row selects`,
      isMet: null,
    },
    {
      what: '- accepted answers',
      value: `p50 ${round(double.p50)}, p95 ${round(double.p95)} ms`,
      ...atMost(round(double.p95), BEARABLE_MS, ' ms (p95)'),
    },
    {
      what: '- refused with 503 and Retry-After',
      value: `${double.refused} of ${double.refused + double.accepted + double.wrong}`,
      isMet: null,
    },
    { what: '- wrong answers', value: `${double.wrong}`, ...atMost(double.wrong, 0) },
    { what: 'recovery after half of the people leave', value: `${recovery} s`, ...atMost(recovery, RECOVERED_S, ' s') },
  ]
}
