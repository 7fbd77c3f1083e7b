import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { isOfficialName } from '../../../src/services/identity/policy.ts'
import { isReserved } from '../../../src/services/identity/reserved-handles.ts'

const officialNames: Record<string, string[]> = {
  'in plain letters': ['Admin', 'ADMIN', 'Administrators', 'Moderator Bob', 'Ada (Admin)', 'AdminAda', 'Sysadmin'],
  'with Cyrillic letters': ['Аdmin', 'аԁміп', 'Mоd', 'Ѕtaff', 'ЅосіаlСоnnесt'],
  'with Greek letters': ['Αdmin', 'Mοderatοr', 'Οfficial Sυpport'],
  'with Armenian letters': ['ѕսpport', 'mօderatօr'],
  'with Cherokee and Lisu letters': ['ᎪᎠᎷᏆΝ', 'ꓮꓓꓟꓲꓠ', 'ꓢꓔꓮꓝꓝ'],
  'in other forms of letters': ['Ａｄｍｉｎ', '𝐀𝐝𝐦𝐢𝐧', '𝒶𝒹𝓂𝒾𝓃', 'ⒶⒹⓂⒾⓃ', '🅐🅓🅜🅘🅝', '🅰🅳🅼🅸🅽', '🇦🇩🇲🇮🇳', 'ᴀᴅᴍɪɴ', 'Ád̃mïn'],
  'with digits and symbols': [
    'adm1n',
    'Adm!n',
    '@dmin',
    '4dm1n',
    'M0D',
    '5upport',
    'Off1c1al',
    '$ocialConnect',
    'Admin123',
  ],
  'with pairs that look like a letter': ['rnoderator', 'adrnin', 'aclmin', 'SociaIConnect'],
  'in pieces': ['A d m i n', 'a.d.m.i.n', 'a_d_m_i_n', 'Social Connect', 'S o c i a l C o n n e c t'],
  'with invisible characters': ['Ad\u200bmin', 'Sup\u00adport', 'Mod\u2060erator', 'Sta\u{e0066}ff'],
  'with decoration': ['SocialConnect Support ✅', '✅ Official ✅', 'Staff ✔️', '★ Admin ★', 'Verified ☑️'],
  'of roles alone': ['Support', 'The Support Team', 'Trust & Safety', 'Help Desk', 'Customer Service', 'Security Team'],
  'of the service': ['SocialConnect', 'MySocialConnectHelp', 'Fans of SocialConnect', 'socialconnect2'],
}

test.each(Object.entries(officialNames))('a display name that looks official is found: %s', (_, names) => {
  expect(names.filter((name) => !isOfficialName(name))).toEqual([])
})

const ordinaryNames = [
  ...['Ada', 'Ada Lovelace', 'Ada Adminton', 'Supportive Sue', 'Ali', 'Anna', 'Marnie', 'Modesto', 'Staffan', 'Trust'],
  ...['Tech Support Barbie', 'Official Ada', 'Team Rocket', 'Security Guard Bob', 'System of a Down', 'Mod Fan'],
  ...['Admiral Akbar', 'Social Connections', 'Socially Connected', 'Help Me', 'Ada ✅', 'Ben 10', '3 Doors Down', 'A'],
  ...[
    'Ольга',
    'Админов',
    'Ирина Машина',
    'Γιώργος',
    'Μαρία',
    'Անահիտ',
    'ᏣᎳᎩ',
    'محمد',
    'דוד',
    'अमित',
    '社交 連',
    '김민수',
    '🦊',
  ],
]

test('ordinary names in many scripts are not official', () => {
  expect(ordinaryNames.filter(isOfficialName)).toEqual([])
})

test('handles that look reserved are reserved, and ordinary ones are not', () => {
  const taken = ['admin', 'adm1n', 'supp0rt', '_admin', 'admin_', 'a_d_m_i_n', 'rnoderator', 'admin123', 'support_team']
  const alike = [
    'r00t',
    '_root_',
    'h3lp',
    'n3ws',
    'm0d',
    's0cialc0nnect',
    '0fficial',
    '5ystem',
    'admln',
    'ow_ner',
    'sup_port',
  ]
  expect([...taken, ...alike].filter((handle) => !isReserved(handle))).toEqual([])
  const people = [
    'ada',
    'ali',
    'mali',
    'mall',
    'team_7',
    'official_ada',
    'adamin',
    'marnie',
    'bob_mod',
    'helper',
    'me_too',
  ]
  const more = ['nina', 'moderna', 'supporter', 'anna', 'cleo', 'clara', 'hal_1', 'ab1', '1ab', 'user_1a2b', 'modesto']
  expect([...people, ...more].filter(isReserved)).toEqual([])
})

test('spelling an official name in another case, form or alphabet changes nothing', () => {
  const alike: Record<string, string> = { a: 'aAаΑ𝐚ⓐ4', d: 'dDԁ𝐝Ⓓ', m: 'mMмΜ𝐦', i: 'iIіΙl1|', n: 'nNηΝ𝐧' }
  const spelled = fc.tuple(...Array.from('admin', (letter) => fc.constantFrom(...alike[letter]!)))
  fc.assert(
    fc.property(spelled, fc.constantFrom('', '\u200d', '\u00ad', '\u0301'), (letters, joint) => {
      expect(isOfficialName(letters.join(joint))).toBe(true)
    }),
  )
})

test('a long name is judged in linear time', () => {
  // A scan that backtracks would take minutes for these names and exceed the timeout of the test.
  for (const name of ['1'.repeat(1_000), 'a '.repeat(500), '!1'.repeat(500), 'aA'.repeat(500)]) isOfficialName(name)
})
