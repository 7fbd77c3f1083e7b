import type { Id } from '../../src/platform/data/ids.ts'
import type { Code } from '../../src/platform/failures.ts'
import { accountsOn, mailedToken, PASSWORD, registeredUser } from '../support/actors.ts'
import { insertApp } from '../support/apps.ts'
import { register } from '../support/auth.ts'
import { addPasskey, newPasskey, waitingLogin, waitingPasskey } from '../support/factors.ts'
import { jpeg, uploadForm } from '../support/images.ts'
import { insertLogin } from '../support/logins.ts'
import { REDIRECT, requestOf } from '../support/oauth.ts'
import {
  changeAddress,
  confirmAddress,
  mailedAddressToken,
  mailedFactorToken,
  mailedResetToken,
  mailedUndoToken,
  NEW_PASSWORD,
} from '../support/recovery.ts'
import { mint } from '../support/tokens.ts'
import type { Caller } from './callers.ts'
import { groupExamples } from './group-examples.ts'
import { messageExamples } from './message-examples.ts'
import { notificationExamples } from './notification-examples.ts'
import type { Aim } from './targets.ts'
import { webhookExamples } from './webhook-examples.ts'

/** The failure that a caller gets for a target, or null. */
export type Rule = (caller: Caller['name'], target: Aim) => Code | null

export type Example = {
  /** The rule for calls that pass the checks of access and scope. By default, it is `visible` for a GET of a target. */
  rule?: Rule
  /** Makes a valid body for the token of the caller, a different one for each call. */
  json?: (token?: string | null) => Promise<object> | object
  form?: () => FormData
  /** The query that the operation requires. */
  query?: () => Promise<string>
  headers?: Record<string, string>
  /** The operation needs the caller's password, or reads the caller's login. */
  hasPassword?: true
  /** The operation needs an authenticator app of the caller. */
  hasFactor?: true
  /** The operation ends sessions or changes factors of the caller, so each successful call needs an account of its own. */
  endsSession?: true
}

export const visible: Rule = (caller, { state }) => {
  if (state === 'missing' || state === 'suspended' || caller === 'blocked') return 'not_found'
  return state === 'public' || caller === 'owner' ? null : 'not_found'
}
const notOwn: Rule = (caller, target) => visible(caller, target) ?? (caller === 'owner' ? 'invalid' : null)
/** Unfollow, block and unblock do not read the target. They refuse only the caller's own id, never a missing target. */
const ownList: Rule = (caller, { state }) => (caller === 'owner' && state !== 'missing' ? 'invalid' : null)
const ownersOnly: Rule = (caller, target) => visible(caller, target) ?? (caller === 'owner' ? null : 'forbidden')
/** Undoing the caller’s own action does not read the target, so the response is the same for every target. */
const ownUndone: Rule = () => null
const ownUnattached: Rule = (caller, { state }) => (state === 'unattached' && caller === 'owner' ? null : 'not_found')
const ownOnly: Rule = (caller, { state }) => (state !== 'missing' && caller === 'owner' ? null : 'not_found')
/** Others than the author need a fresh login. */
const editable: Rule = (caller, target) => {
  const hidden = visible(caller, target)
  if (hidden !== null) return hidden
  if (caller === 'stale') return 'fresh_login_required'
  return ['owner', 'admin', 'scopeless', 'delegate', 'granted'].includes(caller) ? null : 'forbidden'
}
const existing: Rule = (_, { state }) => (state === 'missing' ? 'not_found' : null)

let made = 0
const fresh = (prefix: string) => `${prefix}_${++made}`

async function unverifiedHandle(): Promise<string> {
  const handle = fresh('newcomer')
  await register(handle)
  return handle
}

/** The account of an access token; null for another credential. */
function ownerOf(token?: string | null): Id | null {
  const [, payload] = /^[\w-]+\.([\w-]+)\./.exec(token ?? '') ?? []
  const claims = payload && new TextDecoder().decode(Uint8Array.fromBase64(payload, { alphabet: 'base64url' }))
  return claims?.startsWith('{') ? JSON.parse(claims).sub : null
}

/** What a page sends when a person allows an app. `before`: the person has allowed it before. */
async function decision(token?: string | null, before = false) {
  const accountId = ownerOf(token) ?? (await accountsOn(0))[0]
  const app = await insertApp(accountId, { isAllowed: before })
  return { request: requestOf(app), accountId }
}

async function pendingAddress() {
  const user = await registeredUser(fresh('mover'))
  const email = `${user.handle}@example.org`
  // Its own token may be signed by a key that is newer than the keys that the Worker read last.
  user.token = await mint(user.id, { sessionId: await insertLogin(user.id) })
  const response = await changeAddress(user, email)
  if (!response.ok) throw new Error(`${response.status} ${await response.text()}`)
  return { ...user, token: await mailedAddressToken(user.id, email) }
}

/** The query with which an operation succeeds, and `more`; empty, or with its question mark. */
export async function queryFor(operationId: string, more = ''): Promise<string> {
  const query = [await examples[operationId]?.query?.(), more].filter(Boolean).join('&')
  return query && `?${query}`
}

/** What the OpenAPI document does not say about an operation, but the sweeps need to know. */
export const examples: Record<string, Example> = {
  register: { json: () => ({ handle: fresh('reg'), email: `${fresh('reg')}@example.com`, password: PASSWORD }) },
  verifyAddress: { json: async () => ({ token: await mailedToken(await unverifiedHandle()), password: PASSWORD }) },
  logIn: { json: async () => ({ identifier: (await registeredUser(fresh('login'))).handle, password: PASSWORD }) },
  refreshLogin: { json: async () => ({ refreshToken: (await registeredUser(fresh('refresh'))).refreshToken }) },
  confirmLogin: { hasPassword: true, json: () => ({ password: PASSWORD }) },
  startProviderLogin: { rule: () => 'not_found' },
  logInWithProvider: { rule: () => 'invalid', json: () => ({ flow: 'made up', code: 'made up', state: 'made up' }) },
  registerWithProvider: { rule: () => 'invalid', json: () => ({ token: 'made up', handle: fresh('reg') }) },
  startProviderLink: { rule: () => 'not_found' },
  startProviderConfirmation: { rule: () => 'not_found' },
  finishProviderFlow: { rule: () => 'invalid', json: () => ({ flow: 'made up', code: 'made up', state: 'made up' }) },
  unlinkProvider: { rule: () => 'not_found' },
  requestPasswordReset: { json: () => ({ identifier: fresh('forgetful') }) },
  resetPassword: {
    json: async () => {
      const { id } = await registeredUser(fresh('reset'))
      return { token: await mailedResetToken(id), password: NEW_PASSWORD }
    },
  },
  changePassword: {
    hasPassword: true,
    endsSession: true,
    json: () => ({ currentPassword: PASSWORD, password: NEW_PASSWORD }),
  },
  finishLogin: { json: waitingLogin },
  startPasskeyLogin: {},
  logInWithPasskey: { json: waitingPasskey },
  startConfirmation: {},
  startTotp: { endsSession: true },
  confirmTotp: { rule: () => 'conflict', json: () => ({ code: '123456' }) },
  removeTotp: { hasFactor: true, endsSession: true },
  replaceRecoveryCodes: { hasFactor: true, endsSession: true },
  startPasskey: {},
  addPasskey: { endsSession: true, json: newPasskey },
  renamePasskey: { rule: ownOnly, json: () => ({ name: 'Key ring' }) },
  removePasskey: { hasPassword: true, rule: ownOnly },
  readIdentity: { hasPassword: true },
  changeAddress: { json: () => ({ email: `${fresh('moved')}@example.org` }) },
  confirmAddress: { json: async () => ({ token: (await pendingAddress()).token }) },
  undoAddress: {
    json: async () => {
      const { id, handle, token } = await pendingAddress()
      await confirmAddress(token)
      return { token: await mailedUndoToken(id, `${handle}@example.com`) }
    },
  },
  undoFactor: {
    json: async () => {
      const user = await registeredUser(fresh('robbed'))
      user.token = await mint(user.id, { sessionId: await insertLogin(user.id) })
      const { id } = await addPasskey(user)
      return { token: await mailedFactorToken(user.id, id) }
    },
  },
  changeHandle: { hasPassword: true, json: () => ({ handle: fresh('renamed') }) },
  resendVerification: { json: () => ({ email: `${fresh('late')}@example.com` }) },
  logOut: { endsSession: true },
  logOutEverywhere: { endsSession: true },
  registerApp: { json: () => ({ name: fresh('app'), redirectUris: [REDIRECT], kind: 'public' }) },
  editApp: { rule: ownOnly, json: () => ({ description: fresh('about') }) },
  renewAppSecret: { rule: ownOnly },
  deleteApp: { rule: ownOnly },
  disableApp: { rule: existing, json: () => ({ reason: fresh('spam') }) },
  enableApp: { rule: existing },
  removeAllowedApp: { rule: ownOnly },
  readAuthorization: {
    query: async () => `request=${encodeURIComponent(requestOf(await insertApp((await accountsOn(0))[0])))}`,
  },
  allowApp: { json: (token) => decision(token) },
  repeatAuthorization: { json: (token) => decision(token, true) },
  requestExport: {},
  downloadExport: { rule: ownUnattached },
  endSession: { rule: ownOnly },
  endOtherSessions: { endsSession: true },
  createApiKey: { json: () => ({ name: 'A bot', scopes: ['posts:read'], days: 30 }) },
  deleteApiKey: { rule: ownOnly },
  createInvitation: { rule: () => 'forbidden' },
  revokeInvitation: { rule: ownUndone },
  approveRegistration: { rule: existing },
  rejectRegistration: { rule: ownUndone },
  deleteAccount: { endsSession: true },
  setRole: { rule: existing, json: () => ({ role: 'moderator' }) },
  explainMyAccess: { query: async () => 'action=posts:edit' },
  putRole: { rule: ownUndone, json: () => ({ permissions: ['posts:edit'] }) },
  deleteRole: { rule: ownUndone },
  readAccess: { rule: existing },
  setAccountRoles: { rule: existing, json: () => ({ roles: [] }) },
  setAttributes: { rule: existing, json: () => ({ attributes: [{ name: 'department', value: 'finance' }] }) },
  giveGrant: { rule: existing, json: () => ({ action: 'posts:edit', thing: 'post:456' }) },
  revokeGrant: { rule: ownUndone },
  editProfile: { json: () => ({ displayName: 'Ada', bio: 'Mathematician' }) },
  followAccount: { rule: notOwn },
  unfollowAccount: { rule: ownList },
  blockAccount: { rule: ownList },
  unblockAccount: { rule: ownList },
  getAccounts: { query: async () => `ids=${await accountsOn(0)}` },
  getTagFeed: { rule: () => null },
  followTag: { rule: () => null },
  unfollowTag: { rule: () => null },
  hideTrend: { json: () => ({ kind: 'tag', key: fresh('trend') }) },
  showTrend: { json: () => ({ kind: 'tag', key: fresh('trend') }) },
  searchPosts: { query: async () => 'q=engines' },
  searchAccounts: { query: async () => 'q=ada' },
  searchTags: { query: async () => 'q=engines' },
  listPosts: { query: async () => `author=${await accountsOn(0)}` },
  suspendAccount: { rule: existing },
  liftSuspension: { rule: existing },
  reportImpressions: { json: () => ({ postIds: ['1970324836974593'], surface: 'home' }) },
  setActivityChoice: { json: () => ({ agreed: true }) },
  getPostInsights: { rule: (caller, target) => (caller === 'owner' ? visible(caller, target) : 'not_found') },
  createPost: { json: () => ({ text: 'Hello', visibility: 'public', media: [] }) },
  editPost: { rule: editable, json: () => ({ text: fresh('edited') }) },
  deletePost: { rule: ownersOnly },
  likePost: { rule: visible },
  unlikePost: { rule: ownUndone },
  ...notificationExamples(ownOnly, ownUndone),
  uploadMedia: { form: () => uploadForm(jpeg(), 'A dusk') },
  describeMedia: { rule: ownOnly, json: () => ({ alt: 'A dusk' }) },
  deleteMedia: { rule: ownUnattached },
  setAvatar: { form: () => uploadForm(jpeg()) },
  setHeader: { form: () => uploadForm(jpeg()) },
  openConversation: { json: async () => ({ accountId: (await accountsOn(1))[0] }) },
  getConversation: { rule: ownOnly },
  acceptConversation: { rule: ownOnly },
  declineConversation: { rule: ownOnly },
  markConversationRead: { rule: ownOnly, json: () => ({ seq: 1 }) },
  sendMessage: { rule: ownOnly, json: () => ({ clientId: crypto.randomUUID(), text: 'Hello' }) },
  listMessages: { rule: ownOnly },
  getMessage: { rule: ownOnly },
  ...messageExamples(ownOnly),
  ...groupExamples(ownOnly),
  ...webhookExamples(ownOnly),
  createRealtimeTicket: {},
  openRealtime: { rule: (caller) => (caller === 'nobody' ? 'unauthorized' : null), headers: { upgrade: 'websocket' } },
}
