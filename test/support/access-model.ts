/**
 * Who may do what, written apart from `decide`: sets of facts, and one question. An account may do an action if no rule
 * denies it, and a built-in role, a role, a rule or a grant in force allows it.
 */
export type World = {
  /** The least built-in role of each action. */
  least: Record<string, number>
  /** The built-in role of the account: 0 is user, 1 moderator, 2 admin. */
  rank: number
  /** Triples: role, action. */
  roles: [string, string][]
  attributes: Record<string, string>
  grants: { action: string; thing: string; until: number | null }[]
  /** A rule speaks if its attribute has its value, or `unless` it has; and to owners only, to all but them, or about one post only. */
  rules: {
    action: string
    attribute: string
    value: string
    unless: boolean
    owner: 'any' | 'only' | 'unless' | 'post:1'
    says: 'allow' | 'deny'
  }[]
}
/** `isOwner` is null if the owner is not known: then no rule about owners speaks. */
export type Question = { action: string; thing: string | null; isOwner: boolean | null; now: number }

export function mayDo(world: World, { action, thing, isOwner, now }: Question): boolean {
  const said = new Set<string>()
  for (const rule of world.rules) {
    if (rule.action !== action && rule.action !== '*') continue
    if ((world.attributes[rule.attribute] === rule.value) === rule.unless) continue
    if (rule.owner === 'post:1' && thing !== 'post:1') continue
    if (rule.owner === 'only' && isOwner !== true) continue
    if (rule.owner === 'unless' && isOwner !== false) continue
    said.add(rule.says)
  }
  if (said.has('deny')) return false
  if (said.has('allow')) return true
  if (world.rank >= world.least[action]!) return true
  for (const [, allowed] of world.roles) if (allowed === action) return true
  for (const grant of world.grants) {
    const isOver = grant.until !== null && now >= grant.until
    if (grant.action === action && grant.thing === thing && !isOver) return true
  }
  return false
}
