import { expect, test } from 'vitest'
import { editProfile, getAccount, getAccountByHandle } from '../../../src/services/accounts/accounts.ts'
import { openAccount } from '../../../src/services/accounts/statements.ts'
import { suspendAccount } from '../../../src/services/accounts/suspensions.ts'
import { handleOf } from '../../support/actors.ts'
import { anonymousClient } from '../../support/client.ts'
import { queues } from '../../support/manual-queues.ts'
import { ada, bob, cyd } from '../../support/trio.ts'
import { asModerator, asUser, failure } from '../../support/viewers.ts'

test('an edit changes the given fields of the caller’s profile and nothing else', async () => {
  await editProfile(asUser(ada), { bio: 'Mathematician' })
  expect(await editProfile(asUser(ada), { displayName: 'Ada' })).toMatchObject({
    displayName: 'Ada',
    bio: 'Mathematician',
  })
  expect(await getAccount(asUser(bob), { accountId: cyd })).toMatchObject({ displayName: handleOf(cyd), bio: '' })
})

test('display names and bios are stored normalized and trimmed, without invisible control characters', async () => {
  const edit = { displayName: ' A\u0000d\u202ea\r\nLovelace\n ', bio: 'e\u0301\u0007\r\nand\u2028so on' }
  const stored = { displayName: 'Ada Lovelace', bio: 'é\nand\nso on' }
  expect(await editProfile(asUser(ada), edit)).toMatchObject(stored)
  const displayName = '👩‍🚀'.repeat(50)
  expect(await editProfile(asUser(ada), { displayName })).toMatchObject({ displayName })
})

test('a display name that looks official is refused, except for staff', async () => {
  const edit = { displayName: 'SocialConnect Support ✅' }
  for (const displayName of [
    edit.displayName,
    'Аdmin',
    'Adm\u00adin',
    '\u{1f1e6}\u{1f1e9}\u{1f1f2}\u{1f1ee}\u{1f1f3}',
  ]) {
    await expect(editProfile(asUser(ada), { displayName })).rejects.toMatchObject({
      extra: { errors: [{ field: 'displayName', message: 'looks like the name of this service or of its staff' }] },
    })
  }
  expect((await getAccount(asUser(ada), { accountId: ada })).displayName).toBe(handleOf(ada))
  expect(await editProfile(asModerator(ada), edit)).toMatchObject(edit)
  expect(await editProfile(asUser(bob), { displayName: 'Ada Adminton' })).toMatchObject({ displayName: 'Ada Adminton' })
})

/** A single character of 21 * `count` - 3 bytes: emoji with zero-width joiners between them. */
const joined = (count: number) =>
  Array(count * 3)
    .fill('👩')
    .join('\u200d')

test('profile texts that are invisible, too long or have over 30 combining marks on a letter are refused', async () => {
  const before = await getAccount(asUser(ada), { accountId: ada })
  for (const edit of [
    { displayName: '\u202e' },
    { displayName: '\u200b\u2060' },
    { displayName: '\u0301\u20e3' },
    { displayName: '\u115f\u3164\u2800' },
    { displayName: '👩‍🚀'.repeat(51) },
    { displayName: joined(51) },
    { bio: 'é'.repeat(501) },
    { bio: joined(501) },
    { bio: 'half \ud800' },
    { bio: `a${'\u0301'.repeat(31)}` },
  ]) {
    await expect(editProfile(asUser(ada), edit)).rejects.toEqual(failure('invalid'))
  }
  expect(await getAccount(asUser(ada), { accountId: ada })).toEqual(before)
})

test('an active account is found by its handle in any letter case, through the directory and through KV', async () => {
  for (const handle of [handleOf(ada), handleOf(ada).toUpperCase()]) {
    expect((await getAccountByHandle(asUser(bob), { handle })).id).toBe(ada)
    await queues.finishDeferred({ run: true })
  }
  await expect(getAccountByHandle(asUser(bob), { handle: 'nobody_at_all' })).rejects.toEqual(failure('not_found'))
  await suspendAccount(asModerator(cyd), { accountId: ada })
  await expect(getAccountByHandle(asUser(bob), { handle: handleOf(ada) })).rejects.toEqual(failure('not_found'))
})

test('a handle in a path may have an @ before it', async () => {
  const { fetch } = anonymousClient()
  const handle = handleOf(ada)
  for (const typed of [handle, `@${handle}`, `%40${handle.toUpperCase()}`]) {
    expect(await (await fetch(`/v1/handles/${typed}`)).json(), typed).toMatchObject({ id: ada, handle })
  }
  for (const typed of ['@', '@@ada', 'ada@', '@ab', `@${'a'.repeat(31)}`]) {
    expect((await fetch(`/v1/handles/${typed}`)).status, typed).toBe(404)
  }
})

test('opening an account twice changes nothing', async () => {
  const { db } = queues.context()
  await db.shardOf(ada).batch([...openAccount(db.shardOf(ada), { id: ada, handle: 'another' })])
  expect((await getAccount(asUser(ada), { accountId: ada })).handle).toBe(handleOf(ada))
})
