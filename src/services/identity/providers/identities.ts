import { and, eq, inArray, type SQL } from 'drizzle-orm'
import type { Ctx } from '../../../platform/context.ts'
import { query } from '../../../platform/data/conditions.ts'
import { Address } from '../email.ts'
import { credentials, users } from '../tables.ts'
import type { Claims } from './protocol.ts'
import type { Provider } from './provider-list.ts'

/** Who somebody is at a provider. Addresses never identify anybody: see docs/adr/0034-login-with-providers.md. */
export type Identity = { issuer: string; subject: string }

export const identityOf = ({ issuer }: Provider, { sub }: Claims): Identity => ({ issuer, subject: sub })

export function isIdentity({ issuer, subject }: Identity): SQL | undefined {
  return and(eq(credentials.providerId, issuer), eq(credentials.accountId, subject))
}

/** For queries of `users`: the account that is linked to the identity. */
export function isLinkedTo(identity: Identity): SQL {
  return inArray(users.id, query.select({ id: credentials.userId }).from(credentials).where(isIdentity(identity)))
}

export function linkRow(ctx: Ctx, { issuer, subject }: Identity) {
  const at = new Date(ctx.now())
  return { id: crypto.randomUUID(), accountId: subject, providerId: issuer, createdAt: at, updatedAt: at }
}

/** The address that the provider names, and whether it has verified it. */
export function addressIn({ email, email_verified }: Claims): { email: string | null; isVerified: boolean } {
  const { data } = Address.safeParse(email)
  return { email: data ?? null, isVerified: data !== undefined && email_verified === true }
}
