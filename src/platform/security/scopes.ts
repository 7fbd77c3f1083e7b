declare const brand: unique symbol
/** The name of a permission that a token can have, like `posts:write`. */
export type Scope = string & { readonly [brand]: true }

const declared = new Map<string, string>()

const staffScopes = new Set<string>()

/** Declares a scope of a service. `allows` describes it for users. Only logins get a scope `for: 'staff'`. */
export function defineScope(name: string, allows: string, options: { for?: 'staff' } = {}): Scope {
  if (declared.has(name)) throw new Error(`the scope ${name} is declared twice`)
  declared.set(name, allows)
  if (options.for === 'staff') staffScopes.add(name)
  return name as Scope
}

export function declaredScopes(): ReadonlyMap<string, string> {
  return declared
}

/** The scopes that people may give to an API key. */
export function grantableScopes(): string[] {
  return [...declared.keys()].filter((name) => !staffScopes.has(name))
}
