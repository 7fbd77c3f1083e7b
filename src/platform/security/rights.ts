import type { Id } from '../data/ids.ts'

/** One action on one thing (`post:456`) for one account; null means without an end (otherwise epoch ms). */
export type Grant = { id: Id; action: string; thing: string; until: number | null }

/** What administrators gave an account besides its built-in role. */
export type Rights = {
  roles: { name: string; permissions: string[] }[]
  attributes: Record<string, string>
  grants: Grant[]
}

export const noRights: Rights = { roles: [], attributes: {}, grants: [] }
