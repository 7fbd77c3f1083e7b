import type { Ctx, Viewer } from '../context.ts'
import { timeOf } from '../data/ids.ts'
import { Failure } from '../failures.ts'
import type { Action } from './actions.ts'
import {
  type AccessRule,
  type Decision,
  decide,
  dependsOnRights,
  dependsOnThing,
  isInForce,
  type Subject,
  type Thing,
} from './decide.ts'
import { isApiKey } from './key-logins.ts'
import { noRights, type Rights } from './rights.ts'
import { tokenMissing } from './tokens.ts'

const declared = new Map<string, AccessRule>()

/** Declares rules. They apply to every request, and their names appear in explanations. */
export function defineRules(...rules: readonly AccessRule[]): void {
  for (const rule of rules) {
    if (declared.has(rule.name)) throw new Error(`the rule ${rule.name} is declared twice`)
    declared.set(rule.name, rule)
  }
}

export const declaredRules = (): AccessRule[] => [...declared.values()]

/** Returns what allows the caller to do `action` to `thing`. Throws `forbidden`, or `unauthorized` without a caller. */
export async function authorize(ctx: Ctx, action: Action, thing: Thing | null): Promise<Decision> {
  const decision = await decisionFor(ctx, { action, role: null }, thing)
  if (!decision.allowed) throw refused(decision)
  return decision
}

/** The action of an operation. `role` is the caller's role if that has access anyway, so that only rules can refuse. */
type Need = { action: Action; role: string | null }

/** Before the input of an operation is parsed: refuses callers whom nothing allows the action, whatever the thing is. */
export async function requireActionOnAny(ctx: Ctx, need: Need): Promise<void> {
  const decision = await decisionFor(ctx, need, null)
  const key = keyOf(ctx, need)
  ctx.allowed?.delete(key)
  if (decision.allowed) {
    if (!dependsOnThing(declaredRules(), need.action)) ctx.allowed?.add(key)
    return
  }
  const { grants } = decision.by ? noRights : await rightsOf(ctx)
  if (!grants.some((grant) => isInForce(grant, need.action, ctx.now()))) throw refused(decision)
}

const keyOf = ({ viewer }: Ctx, { action, role }: Need) => `${viewer?.id} ${action} ${role}`

/** Before the verb of an operation runs. Decides again only if the thing can change what was decided at the admission. */
export async function requireAction(ctx: Ctx, need: Need, thing: Thing | null): Promise<void> {
  if (ctx.allowed?.has(keyOf(ctx, need))) return
  const decision = await decisionFor(ctx, need, thing)
  if (!decision.allowed) throw refused(decision)
}

/** Reads the rights only if they can change the decision. */
async function decisionFor(ctx: Ctx, { action, role }: Need, thing: Thing | null): Promise<Decision> {
  if (!ctx.viewer) throw tokenMissing()
  const rules = declaredRules()
  const request = { action, thing, subject: subjectOf(ctx.viewer), now: ctx.now(), env: ctx.env }
  const decideWith = (rights: Rights | null): Decision => {
    const decision = decide(rules, request, rights)
    return role !== null && decision.by === null ? { allowed: true, by: { kind: 'role', name: role } } : decision
  }
  const first = decideWith(null)
  return dependsOnRights(rules, action, first) ? decideWith(await rightsOf(ctx)) : first
}

/** API keys and apps never have more than the rights of every user, but rules about the account apply to them too. */
async function rightsOf(ctx: Ctx): Promise<Rights> {
  const rights = (ctx.viewer && (await ctx.readRights?.(ctx, ctx.viewer.id))) ?? noRights
  const isProgram = ctx.viewer && (isApiKey(ctx.viewer) || ctx.viewer.clientId !== undefined)
  return isProgram ? { ...noRights, attributes: rights.attributes } : rights
}

/** Only accounts with a verified address get tokens, and `admit` refuses suspended ones. */
function subjectOf({ id, role, scopes }: Viewer): Subject {
  return { accountId: id, role, scopes, isVerified: true, isSuspended: false, createdAt: timeOf(id) }
}

function refused({ by }: Decision): Failure {
  return new Failure('forbidden', by === null ? undefined : `The rule ${by.name} denies it`)
}
