import { z } from '@hono/zod-openapi'
import type { UserCtx } from '../../platform/context.ts'
import { Id, timeOf } from '../../platform/data/ids.ts'
import { notFound } from '../../platform/failures.ts'
import { authorize, declaredRules } from '../../platform/security/authorize.ts'
import { type Decision, decide, type Thing } from '../../platform/security/decide.ts'
import { visiblePosts } from '../posts/views.ts'
import { explainAccess } from './policy.ts'
import { readHolder } from './queries.ts'
import { type AccessExplanation, ActionName, ThingName } from './views.ts'

export const AccessQuestion = z.strictObject({
  action: ActionName,
  thing: ThingName.optional(),
  accountId: Id.optional().openapi({ description: 'Another account, for moderators; by default your own' }),
})

/** Decides from the directory, so a change of the last two seconds is included. */
export async function explainMyAccess(
  ctx: UserCtx,
  { action, thing: name, accountId = ctx.viewer.id }: z.infer<typeof AccessQuestion>,
): Promise<AccessExplanation> {
  if (accountId !== ctx.viewer.id) {
    await authorize(ctx, explainAccess, { kind: 'account', id: accountId, ownerId: accountId })
  }
  const [{ user, rights }, thing] = await Promise.all([readHolder(ctx, accountId), thingOf(ctx, name)])
  if (!user) throw notFound()
  const { role, isVerified, isSuspended } = user
  const subject = { accountId, role, scopes: null, isVerified, isSuspended, createdAt: timeOf(accountId) }
  const request = { action, thing, subject, now: ctx.now(), env: ctx.env }
  const decision = decide(declaredRules(), request, rights)
  return {
    accountId,
    action,
    thing: name ?? null,
    allowed: decision.allowed,
    decidedBy: decision.by,
    reason: reasonFor(decision),
  }
}

/** A thing that the caller may not see has no owner here, so an explanation does not reveal that it exists or whose it is. */
async function thingOf(ctx: UserCtx, name: string | undefined): Promise<Thing | null> {
  const [kind = '', number] = name?.split(':') ?? []
  const { data: id } = Id.safeParse(number)
  if (!id) return null
  const ownerId = kind === 'account' ? id : ((await visiblePosts(ctx, [id])).get(id)?.authorId ?? null)
  return { kind, id, ownerId }
}

function reasonFor({ allowed, by }: Decision): string {
  if (!by) return 'No role, rule or grant allows it.'
  return `The ${by.kind} ${by.name} ${allowed ? 'allows' : 'denies'} it.`
}
