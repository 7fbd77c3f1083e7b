import type { Code } from '../../src/platform/failures.ts'
import type { Caller } from './callers.ts'
import { examples, visible } from './examples.ts'
import type { Operation } from './operations.ts'
import { type Aim, type Kind, kindOfParameter, type Target } from './targets.ts'

/** What the path parameter of an operation names; null if it has none, or only one with fixed values. */
export function kindOf({ id, parameters }: Operation): Kind | null {
  const names = parameters.filter(({ in: place, name }) => place === 'path' && !constantFor(parameters, name))
  if (names.length === 0) return null
  const kind = kindOfParameter[names[0]!.name]
  if (!kind || names.length > 1) throw new Error(`Add the path parameter of ${id} to test/sweeps/targets.ts`)
  return kind
}

/** The failure that an admitted caller gets for a target, or null. */
export function ruling({ id, method }: Operation, { name }: Pick<Caller, 'name'>, target: Aim | null): Code | null {
  const rule = examples[id]?.rule ?? (target && method === 'GET' ? visible : null)
  if (target && !rule) throw new Error(`Add the rule of ${id} to test/sweeps/examples.ts`)
  return rule ? rule(name, target!) : null
}

/** The value of a parameter that names no record: one of its enum, or its example. */
export function constantFor(parameters: Operation['parameters'], name: string): string | undefined {
  const { schema } = parameters.find((parameter) => parameter.name === name) ?? {}
  const options = schema?.enum as string[] | undefined
  return options?.[0] ?? (name in kindOfParameter ? undefined : (schema?.example as string | undefined))
}

/** The value of a path parameter. */
export function argumentFor({ parameters }: Operation, name: string, target: Target | null): string {
  return constantFor(parameters, name) ?? target!.parameter
}
