declare const brand: unique symbol
/** The name of a permission that a token can have, like `posts:write`. */
export type Scope = string & { readonly [brand]: true }

const declared = new Map<string, string>()

/** Declares a scope of a service. `allows` describes it for users. */
export function defineScope(name: string, allows: string): Scope {
  if (declared.has(name)) throw new Error(`the scope ${name} is declared twice`)
  declared.set(name, allows)
  return name as Scope
}

export function declaredScopes(): ReadonlyMap<string, string> {
  return declared
}
