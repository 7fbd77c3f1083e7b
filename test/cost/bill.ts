import type { Figure } from '../bench/figures.ts'
import { priceOf } from './prices.ts'

/** What one act uses, by counter, and how often a month a thousand monthly actives do it. */
export type Counted = { name: string; perMonth: number; use: Record<string, number> }

const GOAL = 0.7
const DRIVERS = 8
const dollars = (amount: number) => `$${amount.toFixed(3)}`

type Item = { act: string; line: string; amount: number }

function itemsOf({ name, perMonth, use }: Counted): Item[] {
  return Object.entries(use).flatMap(([counter, count]) => {
    const price = priceOf(counter, count * perMonth)
    return price ? [{ act: name, line: price.line, amount: price.dollars }] : []
  })
}

/** The dollars for a thousand monthly actives: in all, by line of the bill, by act, and what drives them most. */
export function billOf(counted: readonly Counted[]): Figure[] {
  const items = counted.flatMap(itemsOf)
  const total = sum(items)
  const by = (key: (item: Item) => string, prefix: string) =>
    [...Map.groupBy(items, key)]
      .map(([name, group]) => ({ name, amount: sum(group) }))
      .toSorted((a, b) => b.amount - a.amount)
      .map(({ name, amount }) => ({ what: `${prefix}${name}`, value: dollars(amount), isMet: null }))
  return [
    {
      what: 'a thousand monthly actives',
      value: dollars(total),
      goal: `at most ${dollars(GOAL)}`,
      isMet: total <= GOAL,
    },
    ...by(({ line }) => line, '- '),
    ...by(({ act }) => act, 'for each '),
    ...by(({ act, line }) => `${line} of each ${act}`, 'driver: ').slice(0, DRIVERS),
  ]
}

/** How much of each service an act uses. */
export function countsOf(counted: readonly Counted[]): Figure[] {
  return counted.map(({ name, use }) => {
    const of = (pattern: RegExp) => {
      const matching = Object.entries(use).filter(([counter]) => pattern.test(counter))
      return matching.reduce((total, [, count]) => total + count, 0).toFixed(2)
    }
    const value = [
      `D1 ${of(/^D1\.trips$/)} trips, ${of(/^D1\.rowsRead$/)} rows read, ${of(/^D1\.rowsWritten$/)} written`,
      `objects ${of(/\.calls$/)} calls, ${of(/^(?!D1).*\.rowsWritten$/)} rows written`,
      `${of(/^Queues/)} messages`,
    ].join('; ')
    return { what: `one ${name}`, value, isMet: null }
  })
}

const sum = (items: readonly Item[]) => items.reduce((total, { amount }) => total + amount, 0)
