import { and, eq, type SQL } from 'drizzle-orm'
import type { SystemCtx } from '../../platform/context.ts'
import { flag } from '../../platform/data/conditions.ts'
import { atPrimary } from '../../platform/data/databases.ts'
import type { Id } from '../../platform/data/ids.ts'
import { deletions } from '../privacy/tables.ts'
import type { Device } from './device-tokens.ts'
import { hasFactor } from './factors/factors.ts'
import { isPasswordOf } from './names.ts'
import { credentials, handles, users } from './tables.ts'

const isPassword = isPasswordOf(users.id)

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
      hasFactor: flag(hasFactor(users.id), 'has_factor'),
    })
    .from(users)
    .innerJoin(handles, eq(handles.accountId, users.id))
    .innerJoin(credentials, isPassword)
    .where(and(eq(users.id, accountId), eq(users.emailVerified, true)))
  return person ?? null
}

export type LoginPerson = NonNullable<Awaited<ReturnType<typeof findForLogin>>>

/** What a login needs to know of the person that `named` selects, also of one whose address is not verified. */
export async function findForLogin(ctx: SystemCtx, named: SQL | undefined) {
  const [person] = await atPrimary(ctx)
    .directory.select({
      id: users.id,
      handle: handles.handle,
      role: users.role,
      emailVerified: users.emailVerified,
      approval: users.approval,
      tokensVoidBefore: users.tokensVoidBefore,
      devicesVoidBefore: users.devicesVoidBefore,
      password: credentials.password,
      eraseAt: deletions.eraseAt,
    })
    .from(users)
    .innerJoin(handles, eq(handles.accountId, users.id))
    .leftJoin(credentials, isPassword)
    .leftJoin(deletions, eq(deletions.accountId, users.id))
    .where(named)
  return person
}

/** The id of the device, if the account has logged in on it and has not revoked its token. */
export function trustedDeviceOf(device: Device | null, { id, devicesVoidBefore }: LoginPerson): string | null {
  return device?.accountId === id && device.issuedAt > devicesVoidBefore ? device.deviceId : null
}
