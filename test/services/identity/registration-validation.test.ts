import { expect, test } from 'vitest'
import { mailedToken, registeredUser } from '../../support/actors.ts'
import { logIn, register, verify } from '../../support/auth.ts'

let people = 0
const newHandle = () => `newcomer_${++people}`

test('registering a handle that differs from an existing one only in case returns 409 handle_taken', async () => {
  await registeredUser('ivy')
  const response = await register('IVY', { email: 'else@example.com' })
  expect(response.status).toBe(409)
  expect(await response.json()).toMatchObject({ code: 'handle_taken' })
})

test('a handle may be registered, verified and used for a login with an @ before it', async () => {
  expect((await register('@Nia', { email: 'nia@example.com' })).status).toBe(202)
  expect((await verify(await mailedToken('nia'))).status).toBe(200)
  for (const identifier of ['@nia', ' @NIA ', '＠nia', 'nia']) expect((await logIn(identifier)).status).toBe(200)
  expect((await register('＠nia', { email: 'else@example.com' })).status).toBe(409)
  expect((await register('@@nia_2', { email: 'else@example.com' })).status).toBe(422)
})

test.each(['adm1n', 'supp0rt', '_admin', 'a_d_m_i_n', 'rnoderator', 'admin_team', 'socia1connect_help', 'r00t'])(
  'the handle %j, which looks like a reserved one, is refused',
  async (handle) => {
    const response = await register(handle, { email: 'else@example.com' })
    expect([response.status, await response.json()]).toMatchObject([
      422,
      { errors: [{ field: 'handle', message: 'is reserved' }] },
    ])
  },
)

test.each(['admin', 'Root', 'support', 'moderator', 'me', 'SocialConnect', 'ab', 'a b', 'ädä', 'x'.repeat(31)])(
  'the reserved or malformed handle %j is refused',
  async (handle) => {
    expect((await register(handle, { email: 'else@example.com' })).status).toBe(422)
  },
)

test.each([
  ['is shorter than 15 characters', 'is 14 letters!'],
  ['is common', 'PasswordPassword'],
  ['has few distinct characters', 'abababababababababab'],
  ['contains the handle', 'my name is OSCAR, really'],
  ['contains the local part of the email address', 'a wilde.one password'],
  ['is too long', 'long '.repeat(26)],
])('a password that %s is refused', async (_, password) => {
  const response = await register('oscar', { email: 'Wilde.One@example.com', password })
  expect(response.status).toBe(422)
  expect(await response.json()).toMatchObject({ errors: [{ field: 'password' }] })
})

test('registration and login accept a password of 15 to 128 characters, whatever its size in bytes', async () => {
  const letters = Array.from({ length: 128 }, (_, i) => String.fromCodePoint(0xac01 + i)).join('')
  const emoji = Array.from({ length: 128 }, (_, i) => String.fromCodePoint(0x1f400 + i)).join('')
  for (const password of [letters.normalize('NFD'), emoji, emoji.slice(0, 30)]) {
    const email = `${newHandle()}@example.com`
    expect((await register(newHandle(), { email, password })).status).toBe(202)
    expect((await logIn('nobody', password)).status).toBe(401)
  }
  for (const password of [`${emoji}x`, `${letters.normalize('NFD')}x`, 'x'.repeat(200_000)]) {
    expect((await register(newHandle(), { password })).status).toBe(422)
    expect((await logIn('nobody', password)).status).toBe(422)
    expect((await verify('token', password)).status).toBe(422)
  }
  expect((await register(newHandle(), { password: emoji.slice(0, 28) })).status).toBe(422)
})

test.each([
  'x',
  'a@b',
  'a b@example.com',
  'a@exa mple.com',
  'a@@example.com',
  'a\u0000@example.com',
  'a@127.0.0.1',
  '<a>@example.com',
  'a@example.com,b@example.com',
  'a@.com',
])('the malformed email address %j is refused', async (email) => {
  expect((await register('nobody_x', { email })).status).toBe(422)
})
