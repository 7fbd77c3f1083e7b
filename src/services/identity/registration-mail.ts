import { z } from '@hono/zod-openapi'
import { eq, isNotNull } from 'drizzle-orm'
import type { SystemCtx } from '../../platform/context.ts'
import { either } from '../../platform/data/conditions.ts'
import { Id } from '../../platform/data/ids.ts'
import { defineTask } from '../../platform/events/tasks.ts'
import { openEmail } from './email.ts'
import { handles, users } from './tables.ts'
import { RESERVATION_MS, verificationToken } from './verification.ts'

export const registrationMail = defineTask('DELIVERIES', 'mail.registration', z.object({ accountId: Id }))

export async function mailRegistration(ctx: SystemCtx, { accountId }: { accountId: Id }): Promise<void> {
  const db = ctx.db.directory
  const [waiting] = await db
    .select({
      handle: handles.handle,
      mailedAt: handles.mailedAt,
      id: users.id,
      sealed: users.sealedAddress,
      verified: users.emailVerified,
      address: handles.address,
    })
    .from(handles)
    .innerJoin(users, eq(users.email, handles.address))
    .where(eq(handles.accountId, accountId))
  if (!waiting || waiting.mailedAt !== null) return
  const { sendAlreadyRegistered, sendVerification } = await import('./mail-templates.ts')
  const to = await openEmail(ctx, waiting.id, waiting.sealed)
  if (to === null) return
  if (waiting.id !== accountId) await sendAlreadyRegistered(ctx, to)
  else if (!waiting.verified)
    await sendVerification(ctx, to, waiting.handle, await verificationToken(ctx, { ...waiting, accountId }))
  // The hour of the reservation starts with the email, which may be late.
  const reservedUntil = either(isNotNull(handles.reservedUntil), ctx.now() + RESERVATION_MS, handles.reservedUntil)
  await db.update(handles).set({ mailedAt: ctx.now(), reservedUntil }).where(eq(handles.accountId, accountId))
}
