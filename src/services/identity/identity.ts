import { domainToUnicode } from 'node:url'
import { and, eq, gt } from 'drizzle-orm'
import type { UserCtx } from '../../platform/context.ts'
import { DAY_MS } from '../../platform/data/expiry.ts'
import { notFound } from '../../platform/failures.ts'
import { openEmail } from './email.ts'
import { HANDLE_CHANGE_DAYS } from './lifetimes.ts'
import { isPasswordOf } from './names.ts'
import { addressChanges, credentials, handles, users } from './tables.ts'
import type { Identity } from './views.ts'

export async function readIdentity(ctx: UserCtx): Promise<Identity> {
  const accountId = ctx.viewer.id
  const db = ctx.db.directory
  const [[user], [pending]] = await db.batch([
    db
      .select({
        handle: handles.handle,
        role: users.role,
        sealed: users.sealedAddress,
        handleChangedAt: users.handleChangedAt,
        passwordChangedAt: users.passwordChangedAt,
        hash: credentials.password,
      })
      .from(users)
      .innerJoin(handles, eq(handles.accountId, users.id))
      .leftJoin(credentials, isPasswordOf(users.id))
      .where(eq(users.id, accountId)),
    db
      .select({ sealed: addressChanges.sealedAddress })
      .from(addressChanges)
      .where(and(eq(addressChanges.accountId, accountId), gt(addressChanges.until, ctx.now()))),
  ])
  if (!user) throw notFound()
  const [email, pendingEmail] = await Promise.all(
    [user.sealed, pending?.sealed].map((sealed) => (sealed ? openEmail(ctx, accountId, sealed) : null)),
  )
  const changeableAt = (user.handleChangedAt ?? 0) + HANDLE_CHANGE_DAYS * DAY_MS
  return {
    handle: user.handle,
    email: readable(email ?? ''),
    pendingEmail: pendingEmail ? readable(pendingEmail) : null,
    role: user.role,
    hasPassword: user.hash !== null,
    handleChangeableAt: changeableAt > ctx.now() ? new Date(changeableAt).toISOString() : null,
    passwordChangedAt: user.passwordChangedAt ? new Date(user.passwordChangedAt).toISOString() : null,
  }
}

function readable(address: string): string {
  const at = address.lastIndexOf('@') + 1
  return address.slice(0, at) + domainToUnicode(address.slice(at))
}
