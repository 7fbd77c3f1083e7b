import { expect, test } from 'vitest'
import { Address } from '../../../src/services/identity/email.ts'
import { Identifier } from '../../../src/services/identity/views.ts'
import { mailedToken, registeredUser } from '../../support/actors.ts'
import { directoryNumber, logIn, register, verify } from '../../support/auth.ts'
import { interceptMails } from '../../support/mails.ts'

const { nthMailTo } = interceptMails()

const forms = {
  'ada@xn--bcher-kva.example': [
    'ada@bücher.example',
    'ADA@xn--bcher-kva.example',
    'ada@XN--BCHER-KVA.example',
    ' Ada@BÜCHER.Example ',
    'ada@bu\u0308cher.example',
    'ada＠bücher．example',
    'ada﹫bücher。example',
    'ａｄａ@bücher｡example',
    'ada@bü\u00adcher.example',
    'ada@ＢÜcher.example',
  ],
  'x@xn--strae-oqa.example': ['x@straße.example', 'X@STRAẞE.example'],
  'x@strasse.example': ['x@STRASSE.example', 'x@ſtraſſe.example'],
  'x@xn--fsqu00a.xn--0zwm56d': ['x@例子.测试'],
  'jos\u00e9@example.com': ['jose\u0301@example.com', 'JOS\u00c9@EXAMPLE.COM'],
  'a@ffi.example': ['a@ﬃ.example', 'a@ⓕⓕⓘ.example'],
}

test.each(Object.entries(forms))('%s is the one form of every way to type it', (canonical, typed) => {
  for (const form of [canonical, ...typed]) {
    expect([form, Address.parse(form), Identifier.parse(form)]).toEqual([form, canonical, canonical])
  }
})

const label = 'x'.repeat(63)

test.each([
  'a@xn--.example',
  'a@xn--bücher.example',
  'a@-bad.example',
  'a@bad-.example',
  'a@under_score.example',
  'a@example',
  'a@example.',
  'a@example..com',
  'a@example.com/path',
  'a@exa%6dple.com',
  'a@example.com:25',
  'a@example.com?x',
  'a@example.com#x',
  'a@[127.0.0.1]',
  'a@127.1',
  'a@0x7f.1',
  'a@0x7f000001',
  'a@1.2.3.4',
  'a@exam\tple.com',
  'a@exam\nple.com',
  'a@example．com／x',
  'a@℀.example',
  'a@\u200f.example',
  `a@x${label}.example`,
  `a@${'ü'.repeat(60)}.example`,
])('the domain of %j is refused with an error that says so', (typed) => {
  expect(Address.safeParse(typed).error?.issues.map(({ message }) => message)).toEqual([
    'must have a valid domain after the @, like example.com',
  ])
})

test.each([
  '',
  'x',
  'a b@example.com',
  '@example.com',
  'a@b@example.com',
  '<a>@example.com',
  `${'x'.repeat(65)}@example.com`,
])('%j is refused as no email address', (typed) => {
  expect(Address.safeParse(typed).error?.issues.map(({ message }) => message)).toEqual(['must be an email address'])
})

test('all forms of an address lead to one account, and mail is sent to the ASCII form', async () => {
  await register('idn_ada', { email: 'ada@bücher.example' })
  await nthMailTo('ada@xn--bcher-kva.example', 1)
  expect((await verify(await mailedToken('idn_ada'))).status).toBe(200)
  for (const form of forms['ada@xn--bcher-kva.example']) expect([form, (await logIn(form)).status]).toEqual([form, 200])
  const others = forms['ada@xn--bcher-kva.example'].slice(0, 5)
  for (const [i, email] of others.entries()) expect((await register(`idn_other_${i}`, { email })).status).toBe(202)
  const verified = 'select count(*) n from users where email = (select address from handles where handle = ?)'
  expect(await directoryNumber(verified, 'idn_ada')).toBe(1)
  expect(
    await directoryNumber(
      "select count(*) n from users where id in (select account_id from handles where handle like 'idn_other%')",
    ),
  ).toBe(0)
})

test('the identity shows an international address as people write it', async () => {
  const ada = await registeredUser('idn_eva', { email: 'eva@xn--bcher-kva.example' })
  expect(await (await ada.fetch('/v1/me/identity')).json()).toEqual({
    handle: 'idn_eva',
    email: 'eva@bücher.example',
    pendingEmail: null,
    role: 'user',
    handleChangeableAt: null,
    passwordChangedAt: null,
    hasPassword: true,
  })
})
