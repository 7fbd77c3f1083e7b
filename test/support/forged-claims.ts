import type { Forgery } from './forged-signatures.ts'
import { seconds } from './token-signer.ts'

const ISSUER = 'http://127.0.0.1:8787/auth'
const AUDIENCE = 'http://127.0.0.1:8787/v1'

/** Changes one claim, or removes it with `undefined`, and signs with the real key. */
const withClaims =
  (claims: () => Record<string, unknown>, header = {}): Forgery =>
  ({ changed }) =>
    changed(claims(), header)

/** Tokens that only a faulty issuer would sign. */
export const forgedClaims: Record<string, Forgery> = {
  'an id token': withClaims(() => ({ aud: 'socialconnect', nonce: 'n', scope: undefined, role: undefined }), {
    typ: 'JWT',
  }),
  'an id token typed as an access token': withClaims(() => ({ aud: 'socialconnect', nonce: 'n' })),
  'another issuer': withClaims(() => ({ iss: 'https://evil.example/auth' })),
  'an issuer with a trailing slash': withClaims(() => ({ iss: `${ISSUER}/` })),
  'the issuer in upper case': withClaims(() => ({ iss: ISSUER.toUpperCase() })),
  'the start of the issuer': withClaims(() => ({ iss: ISSUER.slice(0, -1) })),
  'no issuer': withClaims(() => ({ iss: undefined })),
  'a list of issuers': withClaims(() => ({ iss: [ISSUER] })),
  'another audience': withClaims(() => ({ aud: 'https://other.example/v1' })),
  'the origin of the API as the audience': withClaims(() => ({ aud: 'http://127.0.0.1:8787' })),
  'a path below the audience': withClaims(() => ({ aud: `${AUDIENCE}/posts` })),
  'an audience that begins with ours': withClaims(() => ({ aud: `${AUDIENCE}.evil.example` })),
  'the audience in upper case': withClaims(() => ({ aud: AUDIENCE.toUpperCase() })),
  'no audience': withClaims(() => ({ aud: undefined })),
  'an empty list of audiences': withClaims(() => ({ aud: [] })),
  'a list of other audiences': withClaims(() => ({ aud: ['https://a.example', 'https://b.example'] })),
  'an expiry in the past': withClaims(() => ({ exp: seconds() - 1 })),
  'an expiry in this second': withClaims(() => ({ exp: seconds() })),
  'an expiry of zero': withClaims(() => ({ exp: 0 })),
  'a negative expiry': withClaims(() => ({ exp: -seconds() })),
  'an expiry with a fraction': withClaims(() => ({ exp: seconds() + 60.5 })),
  'an expiry that is too large for an integer': withClaims(() => ({ exp: 1e300 })),
  'an expiry beyond 53 bits': withClaims(() => ({ exp: 2 ** 63 })),
  'no expiry': withClaims(() => ({ exp: undefined })),
  'an expiry that is a date': withClaims(() => ({ exp: '2099-01-01' })),
  'an expiry that is a number in text': withClaims(() => ({ exp: String(seconds() + 60) })),
  'an expiry that is a list': withClaims(() => ({ exp: [seconds() + 60] })),
  'a not-before time in the future': withClaims(() => ({ nbf: seconds() + 60 })),
  'a not-before time that is text': withClaims(() => ({ nbf: '0' })),
  'no time of issue': withClaims(() => ({ iat: undefined })),
  'a time of issue that is text': withClaims(() => ({ iat: String(seconds()) })),
  'a time of issue in the future': withClaims(() => ({ iat: seconds() + 60, exp: seconds() + 600 })),
  'a time of issue with a fraction': withClaims(() => ({ iat: seconds() - 0.5 })),
  'no subject': withClaims(() => ({ sub: undefined })),
  'an empty subject': withClaims(() => ({ sub: '' })),
  'a subject that is not an id': withClaims(() => ({ sub: 'ada' })),
  'a subject beyond 53 bits': withClaims(() => ({ sub: '9007199254740993' })),
  'a subject that is a number': ({ changed, user }) => changed({ sub: Number(user.id) as unknown }),
  'a subject with a leading zero': ({ changed, user }) => changed({ sub: `0${user.id}` }),
  'a subject with a line feed': ({ changed, user }) => changed({ sub: `${user.id}\n` }),
  'a subject that is a list': ({ changed, user }) => changed({ sub: [user.id] as unknown }),
  'an unknown role': withClaims(() => ({ role: 'superadmin' })),
  'a role in upper case': withClaims(() => ({ role: 'Admin' })),
  'no role': withClaims(() => ({ role: undefined })),
  'a list of roles': withClaims(() => ({ role: ['user', 'admin'] })),
  'no scope': withClaims(() => ({ scope: undefined })),
  'an empty scope': withClaims(() => ({ scope: '' })),
  'scopes as a list': withClaims(() => ({ scope: ['posts:write', 'realtime'] })),
  'scopes on two lines': withClaims(() => ({ scope: 'posts:write\nrealtime' })),
  'scopes with a tab': withClaims(() => ({ scope: 'posts:write\trealtime' })),
  'scopes with two spaces': withClaims(() => ({ scope: 'posts:write  realtime' })),
  'no session': withClaims(() => ({ sid: undefined })),
  'an empty session': withClaims(() => ({ sid: '' })),
  'a session that is a number': withClaims(() => ({ sid: 1 })),
  'a session that stands for an API key': withClaims(() => ({ sid: 'key:1970324836974593' })),
  'a token within a token': ({ ofPayload, user }) => ofPayload(user.token, { cty: 'JWT' }),
  'a token within a token, in quotes': ({ ofPayload, user }) => ofPayload(JSON.stringify(user.token), { cty: 'JWT' }),
  'claims that are a list': ({ ofPayload, claims }) => ofPayload(JSON.stringify([claims])),
  'claims that are null': ({ ofPayload }) => ofPayload('null'),
  'claims that are not JSON': ({ ofPayload }) => ofPayload('{'),
  'claims that are empty': ({ ofPayload }) => ofPayload('{}'),
}
