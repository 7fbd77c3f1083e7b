import { writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { names } from './cases.ts'
import { chart } from './chart.ts'
import type { Outcome } from './load.ts'

/** The outcome of a round. `cpu` is the CPU time of workerd per request, in microseconds. */
export type Round = Outcome & { cpu: number }
export type Line = { name: string; rps: number; cpu: number; p50: number; p95: number; ofHello: number; ofRow: number }
type Goal = { goal: string; value: number; limit: number }

/**
 * Medians over the rounds. `ofHello` and `ofRow` divide the CPU time by that of the Hono hello and of the one-row
 * select in the same round, because the speed of a machine may change from minute to minute.
 */
export function summarize(measured: { name: string; rounds: Round[] }[]): Line[] {
  const roundsOf = (name: string) => measured.find((it) => it.name === name)!.rounds
  return measured.map(({ name, rounds }) => {
    const figure = (digits: number, key: keyof Round) => to(digits, median(rounds.map((round) => round[key])))
    const ratio = (base: Round[]) => to(2, median(rounds.map((round, i) => round.cpu / base[i]!.cpu)))
    return {
      name,
      rps: figure(0, 'rps'),
      cpu: figure(0, 'cpu'),
      p50: figure(2, 'p50'),
      p95: figure(2, 'p95'),
      ofHello: ratio(roundsOf(names.hello)),
      ofRow: ratio(roundsOf(names.oneRow)),
    }
  })
}

export function goalsOf(lines: Line[]): Goal[] {
  const ratio = (of: 'ofHello' | 'ofRow', name: string) => lines.find((line) => line.name === name)![of]
  return [
    {
      goal: 'CPU of a home feed, 200 followed on one shard, as a multiple of a one-row select',
      value: ratio('ofRow', names.nearFeed),
      limit: 2.5,
    },
    {
      goal: 'CPU of a home feed, 200 followed on two shards, as a multiple of a one-row select',
      value: ratio('ofRow', names.homeFeed(200)),
      limit: 2.5,
    },
    {
      goal: 'CPU of authentication and validation, as a multiple of a Hono hello',
      value: to(2, ratio('ofHello', names.checked) - 1),
      limit: 0.45,
    },
  ]
}

export function print(lines: Line[], goals: Goal[]): void {
  const row = (name: string, cells: (string | number)[]) =>
    `${name.padEnd(40)}${cells.map((cell) => String(cell).padStart(10)).join('')}\n`
  const out = [
    row('', ['req/s', 'CPU µs', 'p50 ms', 'p95 ms', 'x hello', 'x one row']),
    ...lines.map(({ name, rps, cpu, p50, p95, ofHello, ofRow }) => row(name, [rps, cpu, p50, p95, ofHello, ofRow])),
    '\n',
    ...goals.map(
      ({ goal, value, limit }) => `${value <= limit ? 'met   ' : 'missed'}  ${goal}: ${value}, at most ${limit}\n`,
    ),
  ]
  process.stdout.write(out.join(''))
}

export function save(lines: Line[], goals: Goal[]): void {
  const machine = { cpu: cpus()[0]!.model, cores: cpus().length, node: process.version }
  const measured = { on: new Date().toISOString().slice(0, 10), machine, goals, lines }
  writeFileSync('docs/bench.json', `${JSON.stringify(measured, null, 2)}\n`)
  writeFileSync('docs/bench.svg', chart(lines))
}

export const median = (list: number[]) => list.toSorted((a, b) => a - b)[Math.floor(list.length / 2)]!
const to = (digits: number, value: number) => Number(value.toFixed(digits))
