import { expect } from 'vitest'
import { asViewer, type Ctx, type UserCtx } from '../../src/platform/context.ts'
import type { Id } from '../../src/platform/data/ids.ts'
import type { Code } from '../../src/platform/failures.ts'
import { queues } from './manual-queues.ts'

// Contexts for calling verbs directly. The events of the verbs wait in `queues`.

export const asUser = (id: Id): UserCtx => asViewer(queues.context(), id)
export const asAnonymous = (): Ctx => ({ ...queues.context(), viewer: null })
export const asModerator = (id: Id): UserCtx => withModeratorRole(asUser(id))
export const withModeratorRole = (ctx: UserCtx): UserCtx => ({ ...ctx, viewer: { ...ctx.viewer, role: 'moderator' } })

export const wholePage = { limit: 50 }
export const idsOf = ({ items }: { items: readonly { id: Id }[] }): Id[] => items.map(({ id }) => id)

/** Matches a failure with this code. */
export const failure = (code: Code) => expect.objectContaining({ code })
