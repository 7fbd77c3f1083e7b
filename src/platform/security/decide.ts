import type { Role } from '../context.ts'
import type { Id } from '../data/ids.ts'
import { type Action, includesAction } from './actions.ts'
import { type Grant, noRights, type Rights } from './rights.ts'

/** What an action is done to, like a post. `ownerId` is null if it is unknown or there is no owner: rules about the owner abstain. */
export type Thing = { kind: string; id: string; ownerId: Id | null }

/** Who acts. */
export type Subject = {
  accountId: Id
  role: Role
  /** The scopes of the token; null for a question about an account without a request of its own. */
  scopes: ReadonlySet<string> | null
  isVerified: boolean
  isSuspended: boolean
  /** When the account was created, epoch ms. */
  createdAt: number
}

/** What rules decide from. */
export type Attributes = Subject & { now: number; env: Env }
type Given = { given: Record<string, string> }
type OfOwner = { isOwner: boolean }

type Verdict = 'allow' | 'deny' | 'abstain'
type Deciding<About> =
  | { of?: never; decide: (about: About) => Verdict }
  | { of: 'owner'; decide: (about: About & OfOwner) => Verdict }
  | { of: 'thing'; decide: (about: About & OfOwner & { thing: Thing | null }) => Verdict }
/** A rule for one action, or for all. `stored`: it reads the attributes that an operator gave. `of`: what it reads of the thing. */
export type AccessRule = { name: string; action: Action | '*' } & (
  | ({ stored?: false } & Deciding<Attributes>)
  | ({ stored: true } & Deciding<Attributes & Given>)
)

type Request = { action: string; thing: Thing | null; subject: Subject; now: number; env: Env }

/** What decided: the name of a role or rule, or the id of a grant; null if no source allowed the action. */
export type Decision = { allowed: boolean; by: { kind: 'role' | 'rule' | 'grant'; name: string } | null }

export const nameOfThing = ({ kind, id }: Pick<Thing, 'kind' | 'id'>) => `${kind}:${id}`

/** Default deny: a rule that denies wins; otherwise one role, rule or grant must allow. `rights` are null if not read. */
export function decide(rules: readonly AccessRule[], request: Request, rights: Rights | null): Decision {
  const { action, thing, subject, now, env } = request
  const { roles, attributes, grants } = rights ?? noRights
  const about = { ...subject, thing, now, env, given: attributes }
  const isOwner = thing?.ownerId ? [thing.ownerId === subject.accountId] : [true, false]
  const concerned = rules.filter((rule) => concerns(rule, action))
  const verdicts = concerned.map((rule) => ({
    rule,
    is: agreed((rule.of ? isOwner : [false]).map((is) => rule.decide({ ...about, isOwner: is }))),
  }))
  const by = (kind: 'role' | 'rule' | 'grant', name: string) => ({ kind, name })
  const denying = verdicts.find(({ is }) => is === 'deny')
  if (denying) return { allowed: false, by: by('rule', denying.rule.name) }
  if (includesAction(subject.role, action)) return { allowed: true, by: by('role', subject.role) }
  const role = roles.find(({ permissions }) => permissions.includes(action))
  if (role) return { allowed: true, by: by('role', role.name) }
  const allowing = verdicts.find(({ is }) => is === 'allow')
  if (allowing) return { allowed: true, by: by('rule', allowing.rule.name) }
  const grant = grants.find((each) => isInForce(each, action, now) && thing && each.thing === nameOfThing(thing))
  return grant ? { allowed: true, by: by('grant', grant.id) } : { allowed: false, by: null }
}

/** A rule whose verdict depends on an owner that is not known yet abstains. */
function agreed([verdict = 'abstain', other = verdict]: Verdict[]): Verdict {
  return verdict === other ? verdict : 'abstain'
}

/** Whether `decide` may answer otherwise once it gets the rights of the account. */
export function dependsOnRights(rules: readonly AccessRule[], action: string, { allowed, by }: Decision): boolean {
  const mayChange = (rule: AccessRule) => rule.stored && concerns(rule, action) && (allowed || rule.name === by?.name)
  return by === null || rules.some(mayChange)
}

/** Whether an action that is allowed without knowing the thing may still be denied on one whose owner is unknown. */
export const dependsOnThing = (rules: readonly AccessRule[], action: string) =>
  rules.some((rule) => rule.of === 'thing' && concerns(rule, action))

const concerns = (rule: AccessRule, action: string) => rule.action === '*' || rule.action === action

export function isInForce(grant: Grant, action: string, now: number): boolean {
  return grant.action === action && (grant.until === null || grant.until > now)
}
