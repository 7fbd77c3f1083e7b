import { and, eq } from 'drizzle-orm'
import type { SystemCtx } from '../../platform/context.ts'
import type { Id } from '../../platform/data/ids.ts'
import { classify, type ExportEntry, iso, jsonFile, nothing, type PersonalData } from '../../platform/personal-data.ts'
import { openEmail } from './email.ts'
import { formerNames, formerNamesInventory } from './former-names.ts'
import { oauthClientResources, oauthClients, oauthResources, refreshTokens } from './oauth-tables.ts'
import { credentials, handles, jwks, mails, sessions, users } from './tables.ts'

const logins = {
  ...classify(users, {
    id: 'owner',
    name: 'technical',
    email: 'secret',
    emailVerified: 'exported',
    image: 'technical',
    createdAt: 'exported',
    updatedAt: 'technical',
    sealedAddress: 'exported',
    role: 'exported',
    tokensVoidBefore: 'technical',
    handleChangedAt: 'exported',
    passwordChangedAt: 'exported',
  }),
  ...classify(handles, {
    handle: 'exported',
    accountId: 'owner',
    address: 'secret',
    reservedUntil: 'technical',
    mailedAt: 'technical',
  }),
  ...classify(credentials, {
    id: 'technical',
    accountId: 'technical',
    providerId: 'technical',
    userId: 'owner',
    password: 'secret',
    createdAt: 'technical',
    updatedAt: 'exported',
  }),
  ...classify(sessions, {
    id: 'technical',
    userId: 'owner',
    token: 'secret',
    expiresAt: 'exported',
    createdAt: 'exported',
    updatedAt: 'technical',
    ipAddress: 'technical',
    userAgent: 'technical',
    confirmedAt: 'technical',
  }),
  ...classify(mails, {
    id: 'technical',
    accountId: 'owner',
    kind: 'technical',
    sealedTo: 'secret',
    detail: 'secret',
    createdAt: 'technical',
  }),
}

const tokens = {
  ...classify(refreshTokens, {
    id: 'technical',
    token: 'secret',
    clientId: 'technical',
    sessionId: 'technical',
    userId: 'owner',
    scopes: 'technical',
    resources: 'technical',
    createdAt: 'technical',
    expiresAt: 'technical',
    revoked: 'technical',
    rotatedAt: 'technical',
    rotationReplayResponse: 'secret',
    rotationReplayExpiresAt: 'technical',
  }),
  ...classify(jwks, {
    id: 'technical',
    publicKey: 'technical',
    privateKey: 'technical',
    alg: 'technical',
    crv: 'technical',
    createdAt: 'technical',
    expiresAt: 'technical',
  }),
  ...classify(oauthClients, {
    id: 'technical',
    clientId: 'technical',
    name: 'technical',
    disabled: 'technical',
    scopes: 'technical',
    redirectUris: 'technical',
    grantTypes: 'technical',
    tokenEndpointAuthMethod: 'technical',
    applicationType: 'technical',
    createdAt: 'technical',
    updatedAt: 'technical',
  }),
  ...classify(oauthResources, {
    id: 'technical',
    identifier: 'technical',
    name: 'technical',
    disabled: 'technical',
    createdAt: 'technical',
    updatedAt: 'technical',
  }),
  ...classify(oauthClientResources, {
    id: 'technical',
    clientId: 'technical',
    resourceId: 'technical',
    createdAt: 'technical',
  }),
}

export const identityData: PersonalData = {
  inventory: { ...logins, ...formerNamesInventory, ...tokens, 'KV CACHE handle:<handle>': { value: 'technical' } },
  exported,
}

async function* exported(ctx: SystemCtx, accountId: Id): AsyncGenerator<ExportEntry> {
  const db = ctx.db.directory
  const isPassword = and(eq(credentials.userId, users.id), eq(credentials.providerId, 'credential'))
  const [user] = await db
    .select({
      handle: handles.handle,
      address: users.sealedAddress,
      isAddressVerified: users.emailVerified,
      role: users.role,
      registeredAt: users.createdAt,
      passwordSetAt: credentials.updatedAt,
      passwordChangedAt: users.passwordChangedAt,
      handleChangedAt: users.handleChangedAt,
    })
    .from(users)
    .innerJoin(handles, eq(handles.accountId, users.id))
    .leftJoin(credentials, isPassword)
    .where(eq(users.id, accountId))
  if (!user) return yield* nothing()
  const logins = await db
    .select({ createdAt: sessions.createdAt, expiresAt: sessions.expiresAt })
    .from(sessions)
    .where(eq(sessions.userId, accountId))
  yield jsonFile('login.json', {
    ...user,
    address: await openEmail(ctx, accountId, user.address),
    registeredAt: iso(user.registeredAt),
    passwordSetAt: iso(user.passwordSetAt),
    passwordChangedAt: iso(user.passwordChangedAt),
    handleChangedAt: iso(user.handleChangedAt),
  })
  yield jsonFile('former-names.json', await formerNames(ctx, accountId))
  yield jsonFile(
    'sessions.json',
    logins.map((login) => ({ createdAt: iso(login.createdAt), expiresAt: iso(login.expiresAt) })),
  )
}
