import { type Role, roles } from '../context.ts'

declare const brand: unique symbol
/** The name of something that a role, a rule or a grant can allow, like `posts:edit`. */
export type Action = string & { readonly [brand]: true }

/** `role` is the least built-in role that may do it to everything; `allows` describes it for administrators. */
type ActionKind = { allows: string; role: Role }

const declared = new Map<string, ActionKind>()

/** Declares an action of a service. The permissions of the built-in roles follow from these declarations. */
export function defineAction(name: string, kind: ActionKind): Action {
  if (declared.has(name)) throw new Error(`the action ${name} is declared twice`)
  declared.set(name, kind)
  return name as Action
}

export function declaredActions(): ReadonlyMap<string, ActionKind> {
  return declared
}

/** The actions that a built-in role allows. */
export function permissionsOf(role: Role): string[] {
  return [...declared.keys()].filter((action) => includesAction(role, action))
}

/** Whether a built-in role allows an action. */
export function includesAction(role: Role, action: string): boolean {
  const kind = declared.get(action)
  return kind !== undefined && roles.indexOf(role) >= roles.indexOf(kind.role)
}
