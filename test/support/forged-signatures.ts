import { base64url, generateKeyPair } from 'jose'
import { encode, type Signer, without } from './token-signer.ts'

/** Makes a token that differs from a valid one by one fault. */
export type Forgery = (signer: Signer) => string | Promise<string>

const secret = (text: string) => new TextEncoder().encode(text)
const foreignKey = async (alg: string) => (await generateKeyPair(alg, { extractable: true })).privateKey
const byStranger =
  (header: object = {}): Forgery =>
  async ({ signed }) =>
    signed(await foreignKey('EdDSA'), {}, { ...header })
const FOREIGN_JWK = { kty: 'OKP', crv: 'Ed25519', x: 'A'.repeat(43) }
const BASE64URL = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'

/** The order of the group of Ed25519 (RFC 8032, section 5.1). */
const ORDER = 2n ** 252n + 27742317777372353535851937790883648493n

/** The same signature with S + L instead of S, which a careless verifier accepts (RFC 8032, section 8.4). */
function withLargerS(signature: string): string {
  const bytes = base64url.decode(signature)
  let s = ORDER
  for (let i = 0; i < 32; i++) s += BigInt(bytes[32 + i]!) << BigInt(8 * i)
  for (let i = 0; i < 32; i++) bytes[32 + i] = Number((s >> BigInt(8 * i)) & 255n)
  return base64url.encode(bytes)
}

const flipped = (text: string, at: number) => text.slice(0, at) + (text[at] === 'A' ? 'B' : 'A') + text.slice(at + 1)

/** The same bytes in another form: the last character of 86 has four bits that no byte uses. */
const notCanonical = (signature: string) => signature.slice(0, -1) + BASE64URL[BASE64URL.indexOf(signature.at(-1)!) + 1]

export const forgedHeaders: Record<string, Forgery> = {
  'without a signature': ({ unsigned, header }) => unsigned(header),
  'alg none': ({ unsigned, header }) => unsigned({ ...header, alg: 'none' }),
  'alg None': ({ unsigned, header }) => unsigned({ ...header, alg: 'None' }),
  'alg nOnE': ({ unsigned, header }) => unsigned({ ...header, alg: 'nOnE' }),
  'alg NONE, no kid': ({ unsigned, header }) => unsigned({ ...without(header, 'kid'), alg: 'NONE' }, 'AAAA'),
  'alg missing': ({ unsigned, header }) => unsigned(without(header, 'alg'), 'AAAA'),
  'alg null': ({ unsigned, header }) => unsigned({ ...header, alg: null }, 'AAAA'),
  'alg empty': ({ unsigned, header, parts }) => unsigned({ ...header, alg: '' }, parts[2]),
  'alg a list': ({ unsigned, header, parts }) => unsigned({ ...header, alg: ['EdDSA'] }, parts[2]),
  'alg in lower case': ({ unsigned, header, parts }) => unsigned({ ...header, alg: 'eddsa' }, parts[2]),
  'alg none with a valid signature': ({ unsigned, header, parts }) => unsigned({ ...header, alg: 'none' }, parts[2]),
  'HS256 keyed with the public key': ({ signed, publicKey }) =>
    signed(base64url.decode(publicKey.x!), {}, { alg: 'HS256' }),
  'HS256 keyed with the text of the public key': ({ signed, publicKey }) =>
    signed(secret(publicKey.x!), {}, { alg: 'HS256' }),
  'HS256 keyed with the public JWK': ({ signed, publicKey }) =>
    signed(secret(JSON.stringify(publicKey)), {}, { alg: 'HS256' }),
  'HS512 keyed with the public key': ({ signed, publicKey }) =>
    signed(base64url.decode(publicKey.x! + publicKey.x!), {}, { alg: 'HS512' }),
  'HS256 keyed with zeros': ({ signed }) => signed(secret('\0'.repeat(32)), {}, { alg: 'HS256' }),
  'RS256 by another key': async ({ signed }) => signed(await foreignKey('RS256'), {}, { alg: 'RS256' }),
  'PS256 by another key': async ({ signed }) => signed(await foreignKey('PS256'), {}, { alg: 'PS256' }),
  'ES256 by another key': async ({ signed }) => signed(await foreignKey('ES256'), {}, { alg: 'ES256' }),
  'ES256 with the signature of EdDSA': ({ unsigned, header, parts }) => unsigned({ ...header, alg: 'ES256' }, parts[2]),
  'EdDSA by another key': byStranger(),
  'another key, without a kid': byStranger({ kid: undefined }),
  'another key, embedded as jwk': byStranger({ jwk: FOREIGN_JWK }),
  'another key, embedded as jwk with its own kid': byStranger({ jwk: { ...FOREIGN_JWK, kid: 'mine' }, kid: 'mine' }),
  'another key, at a jku URL': byStranger({ jku: 'https://evil.example/jwks' }),
  'another key, at an x5u URL': byStranger({ x5u: 'https://evil.example/x5u' }),
  'another key, as an x5c chain': byStranger({ x5c: ['MIIB'] }),
  'an unknown kid': ({ changed }) => changed({}, { kid: 'unknown' }),
  'a kid that is a path': ({ changed }) => changed({}, { kid: '../../dev/null' }),
  'a kid that is a URL': ({ changed }) => changed({}, { kid: 'https://evil.example/jwks' }),
  'a kid that is SQL': ({ changed }) => changed({}, { kid: "x' or '1'='1" }),
  'a kid that is empty': ({ changed }) => changed({}, { kid: '' }),
  'a kid of 2,000 characters': ({ changed }) => changed({}, { kid: 'k'.repeat(2_000) }),
  'a kid that is a number': ({ changed }) => changed({}, { kid: 1 }),
  'typ JWT': ({ changed }) => changed({}, { typ: 'JWT' }),
  'typ of a refresh token': ({ changed }) => changed({}, { typ: 'rt+jwt' }),
  'typ of a logout token': ({ changed }) => changed({}, { typ: 'logout+jwt' }),
  'typ with a parameter': ({ changed }) => changed({}, { typ: 'at+jwt; v=1' }),
  'typ missing': ({ changed }) => changed({}, { typ: undefined }),
  'an unknown critical extension': ({ changed }) => changed({}, { crit: ['odd'], odd: true }),
  'an empty list of critical extensions': ({ unsigned, header, parts }) => unsigned({ ...header, crit: [] }, parts[2]),
  'an unencoded payload (RFC 7797)': ({ unsigned, header, parts }) =>
    unsigned({ ...header, crit: ['b64'], b64: false }, parts[2]),
  'an altered header': ({ header, parts }) => [encode({ ...header, x: 1 }), parts[1], parts[2]].join('.'),
}

export const forgedSignatures: Record<string, Forgery> = {
  'the signature of another token': async ({ parts, changed }) =>
    [parts[0], parts[1], (await changed({ jti: 'other' })).split('.')[2]].join('.'),
  'a truncated signature': ({ user }) => user.token.slice(0, -4),
  'a signature without its last character': ({ user }) => user.token.slice(0, -1),
  'a longer signature': ({ user }) => `${user.token}AA`,
  'a flipped bit at the start of the signature': ({ parts }) => [parts[0], parts[1], flipped(parts[2], 0)].join('.'),
  'a flipped bit at the end of the signature': ({ parts }) => [parts[0], parts[1], flipped(parts[2], 84)].join('.'),
  'a signature of zeros': ({ parts }) => [parts[0], parts[1], 'A'.repeat(86)].join('.'),
  'a signature with padding': ({ user }) => `${user.token}==`,
  'a signature whose last character is not canonical': ({ parts }) =>
    [parts[0], parts[1], notCanonical(parts[2])].join('.'),
  'a signature with a larger S': ({ parts }) => [parts[0], parts[1], withLargerS(parts[2])].join('.'),
  'a signature in the alphabet of base64': ({ parts }) => [parts[0], parts[1], `+/${parts[2].slice(2)}`].join('.'),
  'a header with padding': ({ parts }) => [`${parts[0]}=`, parts[1], parts[2]].join('.'),
  'an altered payload': ({ claims, parts }) => [parts[0], encode({ ...claims, role: 'admin' }), parts[2]].join('.'),
  'the subject of another account': ({ claims, parts }) =>
    [parts[0], encode({ ...claims, sub: '1970324836974593' }), parts[2]].join('.'),
  'a second role in the payload': ({ claims, parts }) =>
    [parts[0], encode(JSON.stringify(claims).replace('{', '{"role":"admin",')), parts[2]].join('.'),
  'a header without payload and signature': ({ parts }) => parts[0],
  'two parts': ({ parts }) => `${parts[0]}.${parts[1]}`,
  'a fourth part': ({ user, parts }) => `${user.token}.${parts[2]}`,
  'an encrypted token of five parts': ({ user, parts }) => `${user.token}.${parts[1]}.${parts[2]}`,
  'dots only': () => '.'.repeat(40),
  'text that is not a token': () => 'A'.repeat(64),
}
