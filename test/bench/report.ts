import { writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { names } from './cases.ts'
import { chart } from './chart.ts'
import type { Outcome } from './load.ts'

/** The outcome of a round with the CPU time of workerd per request, in microseconds. */
export type Round = Outcome & { cpu: number }
export type Line = { name: string; rps: number; cpu: number; p50: number; p95: number; ofHello: number; ofRow: number }
type Goal = { goal: string; value: number; limit: number }

/** The best of every figure: what is left where others disturb the machine least. The ratios are of CPU time. */
export function summarize(measured: { name: string; rounds: Round[] }[]): Line[] {
  const least = (rounds: Round[], key: keyof Round) => Math.min(...rounds.map((round) => round[key]))
  const cpuOf = (name: string) => least(measured.find((it) => it.name === name)!.rounds, 'cpu')
  return measured.map(({ name, rounds }) => {
    const [rps, cpu] = [Math.max(...rounds.map((round) => round.rps)), cpuOf(name)]
    const ratios = { ofHello: to(2, cpu / cpuOf(names.hello)), ofRow: to(2, cpu / cpuOf(names.oneRow)) }
    return {
      name,
      rps: to(0, rps),
      cpu: to(0, cpu),
      p50: to(2, least(rounds, 'p50')),
      p95: to(2, least(rounds, 'p95')),
      ...ratios,
    }
  })
}

export function goalsOf(lines: Line[]): Goal[] {
  const ratio = (of: 'ofHello' | 'ofRow', name: string) => lines.find((line) => line.name === name)![of]
  return [
    {
      goal: 'CPU of a home feed, 200 followed on one shard, in one-row selects',
      value: ratio('ofRow', names.nearFeed),
      limit: 2.5,
    },
    {
      goal: 'CPU of a home feed, 200 followed on two shards, in one-row selects',
      value: ratio('ofRow', names.homeFeed(200)),
      limit: 2.5,
    },
    {
      goal: 'CPU of authentication and validation, in hellos',
      value: to(2, ratio('ofHello', names.checked) - 1),
      limit: 0.45,
    },
  ]
}

export function print(lines: Line[], goals: Goal[]): void {
  const row = (name: string, cells: (string | number)[]) =>
    `${name.padEnd(36)}${cells.map((cell) => String(cell).padStart(10)).join('')}\n`
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

const to = (digits: number, value: number) => Number(value.toFixed(digits))
