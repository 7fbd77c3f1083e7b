import { expect } from 'vitest'
import type { UserCtx } from '../../src/platform/context.ts'
import type { Id } from '../../src/platform/data/ids.ts'
import type { Cost } from '../../src/platform/observability/cost.ts'
import { asUser } from './viewers.ts'

export const PAGE = 20

export async function costOf(id: Id, run: (ctx: UserCtx) => Promise<unknown>): Promise<Cost> {
  const ctx = asUser(id)
  await run(ctx)
  return ctx.cost
}

/** The most that an operation may cost. A cost that the budget does not list must be zero. */
export type Budget = Partial<Cost>

export function expectWithin(name: string, cost: Cost, budget: Budget): void {
  const over = Object.entries(cost).filter(([key, value]) => value > (budget[key as keyof Cost] ?? 0))
  expect({ name, over: Object.fromEntries(over) }).toEqual({ name, over: {} })
}
