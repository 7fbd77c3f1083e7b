import { expect } from 'vitest'
import type { Cost } from '../../src/platform/observability/cost.ts'

/** The most that an operation may cost. A cost that the budget does not list must be zero. */
export type Budget = Partial<Cost>

export function expectWithin(name: string, cost: Cost, budget: Budget): void {
  const over = Object.entries(cost).filter(([key, value]) => value > (budget[key as keyof Cost] ?? 0))
  expect({ name, over: Object.fromEntries(over) }).toEqual({ name, over: {} })
}
