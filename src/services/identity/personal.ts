import { and, eq, ne } from 'drizzle-orm'
import type { SystemCtx } from '../../platform/context.ts'
import type { Id } from '../../platform/data/ids.ts'
import { classify, type ExportEntry, iso, jsonFile, nothing, type PersonalData } from '../../platform/personal-data.ts'
import { openClients } from '../../platform/security/clients.ts'
import { openEmail } from './email.ts'
import { eraseLogins } from './erasure.ts'
import { factorsFile, factorsInventory } from './factors/factor-export.ts'
import { formerNames, formerNamesInventory } from './former-names.ts'
import { oauthClients, oauthResources, refreshTokens } from './oauth-tables.ts'
import { credentials, handles, invitations, jwks, mails, sessions, users } from './tables.ts'

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
    firstLoginAt: 'exported',
    devicesVoidBefore: 'technical',
    termsVersion: 'exported',
    termsAcceptedAt: 'exported',
    approval: 'technical',
    handleChangedAt: 'exported',
    passwordChangedAt: 'exported',
    hasShortPassword: 'technical',
    keysVoidBefore: 'technical',
    suspended: 'technical',
  }),
  ...classify(invitations, {
    id: 'technical',
    code: 'secret',
    inviterId: 'owner',
    createdAt: 'exported',
    expiresAt: 'exported',
    accountId: 'technical',
    usedAt: 'exported',
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
    accountId: 'exported',
    providerId: 'exported',
    userId: 'owner',
    password: 'secret',
    createdAt: 'exported',
    updatedAt: 'exported',
  }),
  ...classify(sessions, {
    id: 'technical',
    userId: 'owner',
    token: 'secret',
    expiresAt: 'exported',
    createdAt: 'exported',
    updatedAt: 'exported',
    ipAddress: 'technical',
    userAgent: 'technical',
    confirmedAt: 'technical',
    sealedClient: 'exported',
    deviceId: 'technical',
    appId: 'exported',
    scopes: 'exported',
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
    authTime: 'technical',
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
}

export const identityData: PersonalData = {
  inventory: {
    ...logins,
    ...formerNamesInventory,
    ...factorsInventory,
    ...tokens,
    'KV CACHE handle:<handle>': { value: 'technical' },
    'KV CACHE identity:checked-keys': { value: 'technical' },
  },
  exported,
  erase: eraseLogins,
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
      firstLoginAt: users.firstLoginAt,
      termsVersion: users.termsVersion,
      termsAcceptedAt: users.termsAcceptedAt,
      passwordSetAt: credentials.updatedAt,
      passwordChangedAt: users.passwordChangedAt,
      handleChangedAt: users.handleChangedAt,
    })
    .from(users)
    .innerJoin(handles, eq(handles.accountId, users.id))
    .leftJoin(credentials, isPassword)
    .where(eq(users.id, accountId))
  if (!user) return yield* nothing()
  yield jsonFile('login.json', {
    ...user,
    address: await openEmail(ctx, accountId, user.address),
    registeredAt: iso(user.registeredAt),
    firstLoginAt: iso(user.firstLoginAt),
    termsAcceptedAt: iso(user.termsAcceptedAt),
    passwordSetAt: iso(user.passwordSetAt),
    passwordChangedAt: iso(user.passwordChangedAt),
    handleChangedAt: iso(user.handleChangedAt),
  })
  yield jsonFile('former-names.json', await formerNames(ctx, accountId))
  yield await linksFile(ctx, accountId)
  yield await sessionsFile(ctx, accountId)
  yield await sentInvitations(ctx, accountId)
  yield await factorsFile(ctx, accountId)
}

async function sessionsFile(ctx: SystemCtx, accountId: Id): Promise<ExportEntry> {
  const logins = await ctx.db.directory
    .select({
      createdAt: sessions.createdAt,
      lastUsedAt: sessions.updatedAt,
      expiresAt: sessions.expiresAt,
      client: sessions.sealedClient,
      appId: sessions.appId,
      scopes: sessions.scopes,
    })
    .from(sessions)
    .where(eq(sessions.userId, accountId))
  const clients = await openClients(
    ctx,
    accountId,
    logins.map(({ client }) => client),
  )
  return jsonFile(
    'sessions.json',
    logins.map((login, i) => ({
      createdAt: iso(login.createdAt),
      lastUsedAt: iso(login.lastUsedAt),
      expiresAt: iso(login.expiresAt),
      ...(login.appId && { appId: login.appId, scopes: login.scopes }),
      ...clients[i],
    })),
  )
}

async function linksFile(ctx: SystemCtx, accountId: Id): Promise<ExportEntry> {
  const links = await ctx.db.directory
    .select({
      issuer: credentials.providerId,
      subject: credentials.accountId,
      linkedAt: credentials.createdAt,
      lastUsedAt: credentials.updatedAt,
    })
    .from(credentials)
    .where(and(eq(credentials.userId, accountId), ne(credentials.providerId, 'credential')))
  const times = links.map((link) => ({ ...link, linkedAt: iso(link.linkedAt), lastUsedAt: iso(link.lastUsedAt) }))
  return jsonFile('linked-providers.json', times)
}

async function sentInvitations(ctx: SystemCtx, accountId: Id): Promise<ExportEntry> {
  const { createdAt, expiresAt, usedAt } = invitations
  const sent = await ctx.db.directory
    .select({ createdAt, expiresAt, usedAt })
    .from(invitations)
    .where(eq(invitations.inviterId, accountId))
  const times = sent.map((row) => ({
    createdAt: iso(row.createdAt),
    expiresAt: iso(row.expiresAt),
    usedAt: iso(row.usedAt),
  }))
  return jsonFile('invitations.json', times)
}
