import { and, eq } from 'drizzle-orm'
import type { SystemCtx } from '../../platform/context.ts'
import { atPrimary } from '../../platform/data/databases.ts'
import type { Id } from '../../platform/data/ids.ts'
import { credentials, handles, users } from './tables.ts'

/** What the directory stores of a person whose address is verified, read at the primary. */
export async function readPerson(ctx: SystemCtx, accountId: Id) {
  const [person] = await atPrimary(ctx)
    .directory.select({
      id: users.id,
      handle: handles.handle,
      role: users.role,
      address: users.email,
      sealedAddress: users.sealedAddress,
      tokensVoidBefore: users.tokensVoidBefore,
      hash: credentials.password,
    })
    .from(users)
    .innerJoin(handles, eq(handles.accountId, users.id))
    .innerJoin(credentials, and(eq(credentials.userId, users.id), eq(credentials.providerId, 'credential')))
    .where(and(eq(users.id, accountId), eq(users.emailVerified, true)))
  return person ?? null
}
