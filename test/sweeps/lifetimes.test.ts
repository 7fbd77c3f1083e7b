import { env } from 'cloudflare:workers'
import { expect, test } from 'vitest'
import type { MediaView } from '../../src/services/media/views.ts'
import { mailedToken, refresh, registeredUser } from '../support/actors.ts'
import { createdApiKey } from '../support/api-keys.ts'
import { directoryNumber, loggedIn, register } from '../support/auth.ts'
import { shardHolding } from '../support/databases.ts'
import { uploaded } from '../support/media.ts'
import {
  changeAddress,
  confirmAddress,
  mailedAddressToken,
  mailedResetToken,
  mailedUndoToken,
} from '../support/recovery.ts'
import { document } from './operations.ts'

const HOUR_MS = 3_600_000

/** The numbers that the document states in the sentence that begins with `what`. */
function stated(what: string): number[] {
  const sentence = new RegExp(`${what}[^.:]*`).exec(document.info.description)?.[0] ?? ''
  return [...sentence.matchAll(/\d+/g)].map(([digits]) => Number(digits))
}

const from = (start: number, end: number, unit: number) => Math.round((end - start) / unit)

test('access tokens and tickets expire after the time that the document states', async () => {
  const ada = await registeredUser()
  const { expiresIn } = await loggedIn(ada)
  expect(stated('An access token is valid for')).toEqual([expiresIn / 60])
  const ticket = await (await ada.fetch('/v1/realtime/tickets', { method: 'POST' })).json<{ expiresIn: number }>()
  expect(stated('A ticket for the socket is valid for')).toEqual([ticket.expiresIn])
})

test('an API key expires at the latest after the time that the document states', async () => {
  const ada = await registeredUser()
  const [days] = stated('An API key is valid for') as [number]
  const key = await createdApiKey(ada, { days: days })
  expect(from(Date.now(), Date.parse(key.expiresAt), 24 * HOUR_MS)).toBe(days)
  await expect(createdApiKey(ada, { days: days + 1 })).rejects.toThrow('422')
})

test('refresh tokens, logins and verification tokens expire after the time that the document states', async () => {
  const ada = await registeredUser()
  const expiry = (table: string) =>
    directoryNumber(`select max(expires_at) n from ${table} where user_id = ?`, Number(ada.id))
  expect(stated('A refresh token is valid for')).toEqual([
    from(Date.now(), await expiry('refresh_tokens'), 24 * HOUR_MS),
  ])
  // A login ends with its refresh token, which each refresh replaces, but not later than the stated time.
  const begun = Date.now() - 170 * 24 * HOUR_MS
  await env.DIRECTORY.prepare('update sessions set created_at = ? where user_id = ?').bind(begun, Number(ada.id)).run()
  await refresh(ada)
  expect(stated('A login lasts at most')).toEqual([from(begun, await expiry('sessions'), 24 * HOUR_MS)])
  await register('lifetime_bob')
  const [, until] = (await mailedToken('lifetime_bob')).split('.')
  expect(stated('The token in a registration email is valid for')).toEqual([from(Date.now(), Number(until), 60_000)])
  const [, end] = (await mailedResetToken(ada.id)).split('.')
  expect(stated('The token in a password reset email is valid for')).toEqual([from(Date.now(), Number(end), 60_000)])
})

test('tokens in emails to new and former addresses expire after the time that the document states', async () => {
  const ada = await registeredUser()
  const hours = (token: string) => from(Date.now(), Number(token.split('.')[1]), HOUR_MS)
  await changeAddress(ada, `${ada.handle}@example.org`)
  const token = await mailedAddressToken(ada.id, `${ada.handle}@example.org`)
  expect(stated('The token in an email to a new address is valid for')).toEqual([hours(token)])
  await confirmAddress(token)
  const undo = await mailedUndoToken(ada.id, `${ada.handle}@example.com`)
  expect(stated('The token in an email to a former address is valid for')).toEqual([hours(undo)])
})

test('signed URLs and idempotency keys expire after the time that the document states', async () => {
  const ada = await registeredUser()
  const [least, most] = stated('The signed URL of an image that not everyone may see is valid for') as [number, number]
  const { url }: MediaView = await uploaded(ada)
  const expires = Number(new URL(url, 'https://social.test').searchParams.get('expires')) * 1_000
  expect(expires - Date.now()).toBeGreaterThan(least * 60_000 - 5_000)
  expect(expires - Date.now()).toBeLessThanOrEqual(most * 60_000)
  const headers = { 'idempotency-key': 'k' }
  await ada.fetch('/v1/posts', { method: 'POST', json: { text: 'Hello' }, headers })
  const row = await shardHolding(ada.id)
    .prepare('SELECT expires_at FROM idempotency_keys WHERE account_id = ?')
    .bind(Number(ada.id))
    .first<{ expires_at: number }>()
  expect(stated('An idempotency key is kept for')).toEqual([from(Date.now(), row!.expires_at, HOUR_MS)])
})
