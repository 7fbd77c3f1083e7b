import { readFileSync, writeFileSync } from 'node:fs'

/** A measured or counted value. `isMet` is null if there is no goal. */
export type Figure = { what: string; value: string; baseline?: string; goal?: string; isMet: boolean | null }

const DOCUMENT = 'docs/figures.md'
const verdicts = { true: 'met', false: 'missed', null: '' } as const
const cellsOf = ({ what, value, baseline = '', goal = '', isMet }: Figure) => [
  what,
  value,
  baseline,
  goal,
  verdicts[`${isMet}`],
]

export const atMost = (value: number, limit: number, unit = '') => ({
  goal: `at most ${limit}${unit}`,
  isMet: value <= limit,
})

export function printFigures(figures: readonly Figure[]): void {
  const rows = [['', 'measured', 'baseline', 'goal', ''], ...figures.map(cellsOf)]
  const widths = rows[0]!.map((_, i) => Math.max(...rows.map((row) => row[i]!.length)))
  const line = (row: string[]) =>
    row
      .map((cell, i) => cell.padEnd(widths[i]! + 2))
      .join('')
      .trimEnd()
  process.stdout.write(`${rows.map(line).join('\n')}\n`)
}

/** Replaces the table of a section of docs/figures.md, between `<!-- name -->` and `<!-- /name -->`. */
export function updateFigures(name: string, figures: readonly Figure[]): void {
  const text = readFileSync(DOCUMENT, 'utf8')
  const section = new RegExp(`(<!-- ${name} -->\n)[^]*?(<!-- /${name} -->)`)
  if (!section.test(text)) throw new Error(`${DOCUMENT} has no section ${name}`)
  const row = (cells: string[]) => `| ${cells.join(' | ')} |`
  const on = new Date().toISOString().slice(0, 10)
  const head = [row([`measured on ${on}`, 'value', 'baseline of the same run', 'goal', '']), '|---|---|---|---|---|']
  const table = [...head, ...figures.map((figure) => row(cellsOf(figure)))].join('\n')
  writeFileSync(
    DOCUMENT,
    text.replace(section, (_, open, close) => `${open}${table}\n${close}`),
  )
}
