import { randomBytes } from 'node:crypto'
import { readToken } from '../../scripts/demo/inbox.ts'
import { fetchInTime } from '../../scripts/fetch-in-time.ts'
import { jpeg, uploadForm } from '../support/images.ts'
import { pushSubscription } from '../support/push-subscription.ts'
import type { Marker } from './scan.ts'

const PASSWORD = 'seven quiet otters at dawn'

export type Person = { id: string; handle: string; token: string }
type Tokens = { accessToken: string; refreshToken: string; account: { id: string } }
type Call = { method?: string; json?: object; form?: FormData; headers?: Record<string, string> }

/** Makes everything that a person can make, with a different marker in each text, and collects the markers. */
export class Planting {
  readonly markers: Marker[] = []
  private readonly origin: string

  constructor(origin: string) {
    this.origin = origin
  }

  /** A new random word, whose bytes must be nowhere after the erasure. */
  mark(name: string): string {
    const word = `zq${randomBytes(6).toString('hex')}`
    this.markers.push({ name, bytes: Buffer.from(word) })
    return word
  }

  async call<T>(path: string, person: Person | null, { method = 'POST', json, form, headers }: Call = {}): Promise<T> {
    const response = await fetchInTime(`${this.origin}/v1${path}`, {
      method,
      body: form ?? (json && JSON.stringify(json)),
      headers: {
        ...(json && { 'content-type': 'application/json' }),
        ...(person && { authorization: `Bearer ${person.token}` }),
        ...headers,
      },
    })
    if (!response.ok) throw new Error(`${method} ${path} failed: ${response.status} ${await response.text()}`)
    const isJson = /json/.test(response.headers.get('content-type') ?? '')
    return (isJson ? await response.json() : Buffer.from(await response.arrayBuffer())) as T
  }

  async register(handle: string, email: string, headers: Record<string, string>): Promise<Person> {
    await this.call('/auth/register', null, { json: { handle, email, password: PASSWORD }, headers })
    const json = { token: await readToken(this.origin, email), password: PASSWORD }
    const { accessToken, account } = await this.call<Tokens>('/auth/verify', null, { json, headers })
    return { id: account.id, handle, token: accessToken }
  }

  /** A client that nobody else has: its user agent and address are markers too. */
  private client(name: string): Record<string, string> {
    const address = `2001:db8:${[...randomBytes(6).toString('hex').matchAll(/.{4}/g)].join(':')}::7`
    this.markers.push({ name: `the address of ${name}`, bytes: Buffer.from(address) })
    return { 'user-agent': this.mark(`the user agent of ${name}`), 'cf-connecting-ip': address }
  }

  async person(): Promise<Person> {
    const email = `${this.mark('the local part of the address')}@${this.mark('the domain of the address')}.example`
    const handle = `h${randomBytes(6).toString('hex')}`
    return this.register(handle, email, this.client('the registration'))
  }

  /** Logs in from many clients. The texts of the tokens are markers, too. */
  async logIns(person: Person): Promise<void> {
    for (let n = 1; n <= 10; n++) {
      const json = { identifier: person.handle, password: PASSWORD }
      const tokens = await this.call<Tokens>('/auth/login', null, { json, headers: this.client(`login ${n}`) })
      this.markers.push({ name: `the refresh token of login ${n}`, bytes: Buffer.from(tokens.refreshToken) })
      person.token = tokens.accessToken
    }
  }

  async everything(person: Person, others: readonly Person[]): Promise<void> {
    const profile = { displayName: this.mark('the display name'), bio: this.mark('the bio') }
    await this.call('/accounts/me', person, { method: 'PATCH', json: profile })
    for (const place of ['avatar', 'header']) {
      await this.call(`/accounts/me/${place}`, person, { method: 'PUT', form: uploadForm(jpeg()) })
    }
    const posts: string[] = []
    for (let n = 1; n <= 24; n++) {
      const media = n <= 8 ? [await this.image(person, n)] : []
      const parentId = n > 16 ? posts[0] : undefined
      const json = { text: `${this.mark(`post ${n}`)} @${others[0]!.handle}`, media, parentId }
      const headers: Record<string, string> = n > 8 ? { 'idempotency-key': this.mark(`idempotency key ${n}`) } : {}
      posts.push((await this.call<{ id: string }>('/posts', person, { json, headers })).id)
    }
    for (const other of others) await this.between(person, other, posts[0]!)
    await this.belongings(person)
    await this.call('/notifications/read', person, { method: 'PUT' })
    await this.call(`/handles/${person.handle}`, null, { method: 'GET' })
  }

  /** What is neither a post nor a message. */
  private async belongings(person: Person): Promise<void> {
    const json = { name: this.mark('the name of an API key'), scopes: ['posts:read'], days: 7 }
    const { key } = await this.call<{ key: string }>('/me/api-keys', person, { json })
    const { secret } = await this.call<{ secret: string }>('/me/factors/totp', person)
    this.markers.push({ name: 'the API key', bytes: Buffer.from(key) })
    this.markers.push({ name: 'the secret of codes', bytes: Buffer.from(secret) })
    const app = {
      name: this.mark('the name of an app'),
      website: `https://${this.mark('the website of an app')}.example/`,
      description: this.mark('the description of an app'),
      redirectUris: [`https://${this.mark('the redirect of an app')}.example/cb`],
      kind: 'public',
    }
    await this.call('/apps', person, { json: app })
    await this.call('/posts', person, { json: { text: `#${this.mark('a hashtag of a post')}` } })
    await this.call(`/tags/${this.mark('a followed hashtag, in a path')}/follow`, person, { method: 'PUT' })
    const email = `${this.mark('an address that is not confirmed')}@example.net`
    await this.call('/me/address', person, { method: 'PUT', json: { email } })
    const endpoint = `https://push.example.net/${this.mark('the endpoint of pushes')}`
    await this.call('/me/push-subscriptions', person, { json: { ...pushSubscription(), endpoint } })
  }

  /** Bytes of the middle of the stored image and of its thumbnail are markers, besides the description. */
  private async image(person: Person, n: number): Promise<string> {
    const size = { width: 64 + n, height: 48 }
    const form = uploadForm(jpeg(size), this.mark(`description ${n}`))
    const { id, url } = await this.call<{ id: string; url: string }>('/media', person, { form })
    for (const variant of ['image', 'thumbnail']) {
      const path = url.replace('/v1', '').replace('/image', `/${variant}`)
      const bytes = await this.call<Buffer>(path, null, { method: 'GET' })
      const middle = Math.floor(bytes.length / 2)
      this.markers.push({ name: `${variant} ${n}`, bytes: bytes.subarray(middle, middle + 32) })
    }
    return id
  }

  private async between(person: Person, other: Person, postId: string): Promise<void> {
    const { id } = await this.call<{ id: string }>('/posts', other, { json: { text: `hello @${person.handle}` } })
    const text = this.mark(`a comment on ${other.handle}`)
    await this.call('/posts', person, { json: { text, parentId: id } })
    await this.call('/posts', other, { json: { text: 'a reply', parentId: postId } })
    await this.call(`/posts/${id}/like`, person, { method: 'PUT' })
    await this.call(`/posts/${postId}/like`, other, { method: 'PUT' })
    await this.call(`/accounts/${other.id}/follow`, person, { method: 'PUT' })
    const url = `https://hooks.example.org/${other.handle}`
    const webhook = { url, events: ['post.liked'], description: this.mark(`a webhook for ${other.handle}`) }
    await this.call('/webhooks', person, { json: webhook })
    const opened = await this.call<{ id: string }>('/conversations', person, { json: { accountId: other.id } })
    const message = { clientId: 'client-id', text: this.mark(`a message to ${other.handle}`) }
    await this.call(`/conversations/${opened.id}/messages`, person, { json: message })
    const edit = { text: this.mark(`an edited message to ${other.handle}`) }
    await this.call(`/messages/${opened.id}.1`, person, { method: 'PATCH', json: edit })
    await this.call(`/accounts/${person.id}/follow`, other, { method: 'PUT' })
    const group = { name: this.mark(`a group with ${other.handle}`), members: [other.id] }
    const { id: groupId } = await this.call<{ id: string }>('/groups', person, { json: group })
    const said = { clientId: 'client-id', text: this.mark(`a message in a group with ${other.handle}`) }
    await this.call(`/conversations/${groupId}/messages`, person, { json: said })
  }
}
