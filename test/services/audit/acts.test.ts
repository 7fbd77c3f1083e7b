import { env } from 'cloudflare:workers'
import { beforeAll, beforeEach, expect, test, vi } from 'vitest'
import { auditedEvents } from '../../../src/services/audit/audited-events.ts'
import { PASSWORD, type RegisteredUser, registeredUser, setRole } from '../../support/actors.ts'
import { auditOf } from '../../support/audit.ts'
import { refreshWith } from '../../support/auth.ts'
import { movableClock } from '../../support/clock.ts'
import { due, erase } from '../../support/erasures.ts'
import { accountIdOf, inMode } from '../../support/modes.ts'
import { connect, registeredApp } from '../../support/oauth.ts'
import { drained } from '../../support/outboxes.ts'
import {
  changeAddress,
  changeHandle,
  confirmAddress,
  mailedAddressToken,
  mailedResetToken,
  mailedUndoToken,
  NEW_PASSWORD,
  resetWith,
  undoAddress,
} from '../../support/recovery.ts'
import { acceptMessages } from '../../support/webhooks.ts'

const clock = movableClock()
const approval = inMode('approval')
let admin: RegisteredUser

beforeAll(async () => {
  admin = await registeredUser()
  await setRole(admin, 'admin')
})
beforeEach(() => void vi.spyOn(env.MAIL, 'send').mockResolvedValue({ messageId: 'sent' }))

async function send<T>(by: RegisteredUser, method: string, path: string, json?: object): Promise<T> {
  const response = await by.fetch(`/v1${path}`, { method, json })
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`)
  return (response.status === 204 ? {} : await response.json()) as T
}

/** Each act of a person, with the entries that it makes, in alphabetical order. */
const acts: Record<string, [entries: string[], act: (user: RegisteredUser) => Promise<unknown>]> = {
  'a refresh token that is reused': [
    ['refresh-token-reused', 'session-ended'],
    async (user) => {
      await refreshWith(user.refreshToken)
      clock.advance(30_000)
      await refreshWith(user.refreshToken)
    },
  ],
  'a new password': [
    ['password-changed'],
    (user) => send(user, 'PUT', '/auth/password', { currentPassword: PASSWORD, password: NEW_PASSWORD }),
  ],
  'a reset of the password': [['password-reset'], async ({ id }) => resetWith(await mailedResetToken(id))],
  'a new handle': [['handle-changed'], (user) => changeHandle(user, `new_${user.handle}`.slice(0, 30))],
  'a new address that is undone': [['address-change-requested', 'address-change-undone', 'address-changed'], moveBack],
  'the erasure of the account': [
    ['account-erased', 'deletion-requested'],
    async (user) => {
      await due(user)
      await erase(user)
    },
  ],
  'an app, from its registration to its deletion': [
    ['app-allowed', 'app-changed', 'app-deleted', 'app-registered', 'app-removed', 'app-secret-renewed'],
    keepApp,
  ],
  'a webhook, from its creation to its deletion': [
    [
      'webhook-changed',
      'webhook-created',
      'webhook-deleted',
      'webhook-paused',
      'webhook-resumed',
      'webhook-secret-renewed',
    ],
    keepWebhook,
  ],
  'a grant that is given and revoked': [
    ['grant-given', 'grant-revoked'],
    async ({ id }) => {
      const body = { action: 'posts:edit', thing: 'post:1970324936974593' }
      const given = await send<{ id: string }>(admin, 'PUT', `/accounts/${id}/grants`, body)
      await send(admin, 'DELETE', `/grants/${given.id}`)
    },
  ],
}

async function moveBack(user: RegisteredUser): Promise<void> {
  const email = `moved_${user.handle}@example.com`
  await changeAddress(user, email)
  await confirmAddress(await mailedAddressToken(user.id, email))
  await undoAddress(await mailedUndoToken(user.id, `${user.handle}@example.com`))
}

async function keepApp(user: RegisteredUser): Promise<void> {
  const app = await registeredApp(user, 'confidential')
  await send(user, 'PATCH', `/apps/${app.id}`, { name: 'Another name' })
  const { secret } = await send<{ secret: string }>(user, 'POST', `/apps/${app.id}/secret`)
  await connect(user, { ...app, secret })
  await send(user, 'DELETE', `/me/apps/${app.id}`)
  await send(user, 'DELETE', `/apps/${app.id}`)
}

async function keepWebhook(user: RegisteredUser): Promise<void> {
  acceptMessages()
  const webhook = { url: `https://hooks.example.org/${user.handle}`, events: ['post.liked'] }
  const { id } = await send<{ id: string }>(user, 'POST', '/webhooks', webhook)
  await send(user, 'PATCH', `/webhooks/${id}`, { description: 'another' })
  await send(user, 'POST', `/webhooks/${id}/secret`)
  await send(user, 'PUT', `/webhooks/${id}/paused`)
  await send(user, 'DELETE', `/webhooks/${id}/paused`)
  await send(user, 'DELETE', `/webhooks/${id}`)
}

const ofRole = ['role-defined', 'role-defined', 'role-deleted']
const ofRejected = ['address-verified', 'registered', 'registration-rejected']

const actionsOf = async (id: RegisteredUser['id']) => (await auditOf(id)).map(({ action }) => action)

test.each(Object.entries(acts))('%s has one entry each', async (_, [entries, act]) => {
  const user = await registeredUser()
  await drained()
  const before = await actionsOf(user.id)
  await act(user)
  await drained()
  expect((await actionsOf(user.id)).slice(before.length).sort()).toEqual(entries)
})

test('a role that is made, changed and deleted has one entry each', async () => {
  for (const permissions of [[], ['posts:edit']]) await send(admin, 'PUT', '/roles/clerk', { permissions })
  await send(admin, 'DELETE', '/roles/clerk')
  await drained()
  const actions = (await actionsOf(admin.id)).filter((action) => action.startsWith('role-de'))
  expect(actions).toEqual(ofRole)
})

test('a rejected registration has one entry', async () => {
  await approval.register('declined')
  await drained()
  await approval.verify('declined')
  const id = await accountIdOf('declined')
  await send(admin, 'DELETE', `/registrations/${id}`)
  await drained()
  expect((await actionsOf(id)).sort()).toEqual(ofRejected)
})

test('every audited event is expected by a test', () => {
  const here = [...Object.values(acts).flatMap(([entries]) => entries), ...ofRole, ...ofRejected]
  const others = import.meta.glob<string>(['../**/*.test.ts'], { query: '?raw', import: 'default', eager: true })
  const text = Object.values(others).join('\n')
  const isExpected = (action: string) => here.includes(action) || new RegExp(`'${action}[' ]`).test(text)
  expect(auditedEvents.map(({ action }) => action).filter((action) => !isExpected(action))).toEqual([])
})
