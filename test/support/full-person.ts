import { env } from 'cloudflare:workers'
import type { Id } from '../../src/platform/data/ids.ts'
import { type RegisteredUser, registeredUser } from './actors.ts'
import { createdApiKey } from './api-keys.ts'
import { insertRows } from './databases.ts'
import { addPasskey, addTotp, passkeyLogin } from './factors.ts'
import { uploadForm, webp } from './images.ts'
import { uploaded } from './media.ts'
import { connect, registeredApp } from './oauth.ts'
import { drained } from './outboxes.ts'
import { insertLink } from './provider-logins.ts'
import { pushSubscription } from './push-subscription.ts'
import { insertDelivery } from './pushes.ts'
import { acceptMessages } from './webhooks.ts'

export type FullPerson = { user: RegisteredUser; address: string; markers: string[]; mediaIds: string[] }

/** A person who has filled every field and used every feature. Each text contains a marker with `name`. */
export async function fullPerson(name: string, friend: RegisteredUser): Promise<FullPerson> {
  const address = `${name}-address@example.com`
  const user = await registeredUser(`${name}_handle`, { email: address })
  const markers = [
    `${name}_handle`,
    address,
    `${name} display`,
    `${name} bio`,
    `${name} post`,
    `${name} alt`,
    `${name} comment`,
    `${name} subject`,
    `${name} passkey`,
    `${name} key`,
    `${name} app`,
    `${name} message`,
    `${name} webhook`,
    `${name} group`,
    `${name} edited message`,
    `${name} sent image`,
  ]
  acceptMessages()
  const send = (method: string, path: string, json?: unknown, body?: BodyInit) =>
    ok(user.fetch(`/v1${path}`, { method, json, body }))
  await send('PATCH', '/accounts/me', { displayName: `${name} display`, bio: `${name} bio` })
  await send('POST', '/webhooks', {
    url: `https://hooks.example.org/${name}`,
    events: ['post.liked'],
    description: `${name} webhook`,
  })
  const avatar = await (await send('PUT', '/accounts/me/avatar', undefined, uploadForm(webp()))).json<Images>()
  const header = await (await send('PUT', '/accounts/me/header', undefined, uploadForm(webp()))).json<Images>()
  const image = await uploaded(user, webp(), `${name} alt`)
  const post = await idOf(
    send('POST', '/posts', { text: `${name} post @${friend.handle} #${name}tag`, media: [image.id] }),
  )
  await send('POST', '/posts', { text: `${name} comment`, parentId: post })
  await send('PUT', `/posts/${post}/like`)
  await send('PUT', `/tags/${name}hashtag/follow`)
  await send('PUT', `/accounts/${friend.id}/follow`)
  await ok(friend.fetch(`/v1/accounts/${user.id}/follow`, { method: 'PUT' }))
  await ok(friend.fetch(`/v1/posts/${post}/like`, { method: 'PUT' }))
  const reply = await idOf(
    friend.fetch('/v1/posts', { method: 'POST', json: { text: 'friend reply', parentId: post } }),
  )
  await send('PUT', `/posts/${reply}/like`)
  await drained()
  await send('DELETE', `/posts/${reply}/like`)
  const conversation = await idOf(send('POST', '/conversations', { accountId: friend.id }))
  await send('POST', `/conversations/${conversation}/messages`, { clientId: 'client-id', text: `${name} message` })
  const sentImage = await uploaded(user, webp(), `${name} sent image`)
  const withImage = { clientId: 'client-id-2', text: '', media: [sentImage.id] }
  await send('POST', `/conversations/${conversation}/messages`, withImage)
  await send('PUT', `/messages/${conversation}.1/reactions/${encodeURIComponent('👍')}`)
  await send('PUT', '/me/message-settings', { sharesMarks: false })
  await send('PUT', '/me/activity-choice', { agreed: true })
  await insertRows(env.ANALYTICS, 'rollups', [
    {
      metric: 'author.like',
      bucket: `d${new Date(Date.now() - 9 * 86_400_000).toISOString().slice(0, 10)}`,
      key: user.id,
      n: 7,
    },
  ])
  await send('PATCH', `/messages/${conversation}.1`, { text: `${name} edited message` })
  const group = await idOf(send('POST', '/groups', { name: `${name} group`, members: [friend.id] }))
  await send('POST', `/conversations/${group}/messages`, { clientId: 'client-id', text: `${name} message` })
  await insertAccess(user.id)
  await send('PATCH', `/posts/${post}`, { text: `${name} post @${friend.handle} #${name}tag edited` })
  await createdApiKey(user, { name: `${name} key` })
  const app = await registeredApp(user, 'public', { name: `${name} app`, description: 'A quiet reader' })
  await connect(user, app)
  const stopped = await registeredApp(user, 'public', { name: `${name} stopped app` })
  await env.DIRECTORY.prepare('UPDATE apps SET disabled_at = ?, disabled_reason = ? WHERE id = ?')
    .bind(Date.now(), `${name} reason`, Number(stopped.id))
    .run()
  const enemy = await registeredUser()
  await send('PUT', `/accounts/${enemy.id}/block`)
  await addTotp(user)
  const { device } = await addPasskey(user, `${name} passkey`)
  await passkeyLogin(device)
  await drained()
  await send('PUT', '/notifications/read')
  await insertDelivery(user.id)
  await send('POST', '/me/push-subscriptions', pushSubscription())
  await send('PUT', '/me/notification-preferences', {
    rules: { like: { mail: 'followed' } },
    quietHours: { timeZone: 'Europe/Berlin', from: '22:00', to: '07:00' },
  })
  await insertLink(user.id, 'https://accounts.example.org', `${name} subject`)
  const mediaIds = [image.id, sentImage.id, idIn(avatar.avatarUrl), idIn(header.headerUrl)]
  return { user, address, markers, mediaIds }
}

/** A custom role, a grant and an attribute. */
async function insertAccess(accountId: Id): Promise<void> {
  const account_id = Number(accountId)
  await insertRows(env.DIRECTORY, 'roles', [
    { id: account_id, name: `r${accountId}`, description: '', permissions: '[]' },
  ])
  await insertRows(env.DIRECTORY, 'account_roles', [{ account_id, role_id: account_id }])
  await insertRows(env.DIRECTORY, 'grants', [
    { id: account_id, account_id, action: 'posts:edit', thing: 'post:1', until: 4_102_444_800_000 },
  ])
  await insertRows(env.DIRECTORY, 'account_attributes', [{ account_id, name: 'department', value: 'finance' }])
}

type Images = { avatarUrl: string | null; headerUrl: string | null }
const idIn = (url: string | null) => url!.split('/')[3]!

async function ok(response: Promise<Response>): Promise<Response> {
  const answer = await response
  if (!answer.ok) throw new Error(`${answer.status} ${await answer.text()}`)
  return answer
}

const idOf = async (response: Promise<Response>): Promise<Id> => (await (await response).json<{ id: Id }>()).id
