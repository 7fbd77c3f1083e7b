import { z } from '@hono/zod-openapi'
import { roles } from '../../platform/context.ts'
import { Id } from '../../platform/data/ids.ts'
import { openEnum } from '../../platform/http/open-enum.ts'
import { canonicalAddress, isTypedAddress } from './addresses.ts'

/** Folded to lower case, so that no two handles differ by case alone. */
export const Handle = z
  .string()
  .min(3)
  .max(30)
  .regex(/^[A-Za-z0-9_]+$/, 'may contain a to z, 0 to 9 and _')
  .toLowerCase()
  .openapi({ example: 'ada' })

const withoutAt = (typed: string) => typed.replace(/^[@＠]/, '')

export const TypedHandle = z
  .string()
  .max(31)
  .regex(/^[@＠]?[A-Za-z0-9_]{3,30}$/, 'must be 3 to 30 letters a to z, digits and _, with or without an @ before them')
  .overwrite(withoutAt)
  .toLowerCase()
  .openapi({ description: 'With or without an `@` before it', example: 'ada' })

export const Identifier = z
  .string()
  .max(254)
  .trim()
  .normalize('NFC')
  .toLowerCase()
  .overwrite(withoutAt)
  .overwrite((typed) => (isTypedAddress(typed) ? canonicalAddress(typed) : typed))
  .openapi({ description: 'The handle, with or without an `@` before it, or the email address' })

export const Accepted = z.object({ status: z.literal('accepted') }).openapi('Accepted')
export type Accepted = z.infer<typeof Accepted>

export const Role = openEnum('Role', roles, 'What an account may do')

export const Identity = z
  .object({
    handle: z.string(),
    email: z.string(),
    pendingEmail: z.string().nullable().openapi({ description: 'The new address, until its owner confirms it' }),
    role: Role,
    hasPassword: z.boolean().openapi({ description: 'Whether somebody can log in with a password' }),
    handleChangeableAt: z.iso.datetime().nullable().openapi({ description: 'Null if the handle may be changed now' }),
    passwordChangedAt: z.iso.datetime().nullable().openapi({ description: 'Null if it was never changed' }),
  })
  .openapi('Identity', { example: { handle: 'ada', email: 'ada@example.org', handleChangeableAt: null } })
export type Identity = z.infer<typeof Identity>

const AccountName = z.object({ id: Id, handle: z.string() }).openapi('AccountName', { example: { handle: 'ada' } })

export const Tokens = z
  .object({
    accessToken: z.string(),
    refreshToken: z.string(),
    tokenType: z.literal('Bearer'),
    expiresIn: z.int().openapi({ description: 'Seconds until the access token expires' }),
    deviceToken: z.string().openapi({
      description: 'Send it with later logins on this device, so that wrong guesses of others never block them',
    }),
    account: AccountName,
    deletionCancelled: z.boolean().optional().openapi({ description: 'Whether the login cancelled a deletion' }),
    suspended: z.boolean().optional().openapi({
      description: 'Whether the account is suspended: the tokens only export and delete the account, and log out',
    }),
  })
  .openapi('Tokens', {
    example: {
      accessToken: 'eyJhbGciOiJFZERTQSIsInR5cCI6ImF0K2p3dCJ9.eyJzdWIiOiIxOTcwMzI0ODM2OTc0NTkzIn0.c2lnbmF0dXJl',
      refreshToken: 'Zt4pQw8sLx1vHa7dKm2cRy9fBn5gJe3u.Wd6hVk0aTz8nCq2mYb4xSf7rPj1eGo9i',
      expiresIn: 600,
      deviceToken: 'Dv5rKc1xPz8tWm3q.9sHfYb2nLe6uJg0a',
    },
  })
export type Tokens = z.infer<typeof Tokens>
