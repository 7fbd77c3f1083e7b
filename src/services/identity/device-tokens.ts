import { z } from '@hono/zod-openapi'
import type { SystemCtx } from '../../platform/context.ts'
import { DAY_MS } from '../../platform/data/expiry.ts'
import { Id } from '../../platform/data/ids.ts'
import { sign, verifySignature } from '../../platform/security/crypto.ts'
import { DEVICE_TOKEN_DAYS } from './lifetimes.ts'

export const DeviceToken = z
  .string()
  .max(200)
  .openapi({
    description: `Proves that the account has logged in on this device before. Valid for ${DEVICE_TOKEN_DAYS} days after it was issued, or until the account logs out everywhere, ends all other logins, changes or resets the password, or undoes a change of address`,
  })

const PURPOSE = 'device token'

const FROM_RESET = 'reset-'

/** The id of a device on which the password was reset: the account may never have logged in on it. */
export const newResetDevice = () => `${FROM_RESET}${crypto.randomUUID()}`

export const isFromReset = (deviceId: string) => deviceId.startsWith(FROM_RESET)

export type Device = { accountId: Id; deviceId: string; issuedAt: number }

export async function encodeDeviceToken(ctx: SystemCtx, { accountId, deviceId, issuedAt }: Device): Promise<string> {
  const text = `${accountId}.${deviceId}.${issuedAt}`
  return `${text}.${await sign(ctx.config, PURPOSE, text)}`
}

/** Returns null for a forged or expired token. Whether the account has revoked it is in `users.devicesVoidBefore`. */
export async function decodeDeviceToken(ctx: SystemCtx, token: string | undefined): Promise<Device | null> {
  const [account, deviceId, time, signature, ...more] = (token ?? '').split('.')
  const accountId = Id.safeParse(account).data
  if (!accountId || !deviceId || !time || !signature || more.length > 0) return null
  const isOurs = await verifySignature(ctx.config, PURPOSE, `${accountId}.${deviceId}.${time}`, signature)
  const issuedAt = Number(time)
  return isOurs && issuedAt > ctx.now() - DEVICE_TOKEN_DAYS * DAY_MS ? { accountId, deviceId, issuedAt } : null
}
