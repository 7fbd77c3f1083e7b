import type { Code } from '../../src/platform/http/errors.ts'
import { jpeg, uploadForm } from '../support/images.ts'
import { mailedToken, PASSWORD, register, stranger } from '../support/people.ts'
import type { Caller } from './callers.ts'
import type { Target } from './targets.ts'

/** Who may: null for "yes", or what the caller is told. */
type Rule = (caller: Caller['name'], target: Target) => Code | null

type Example = {
  /** What decides beyond access and scope. GET of a thing needs no saying: whoever may see it may read it. */
  rule?: Rule
  /** A body that is accepted, each time another. */
  json?: () => Promise<object> | object
  form?: () => FormData
  headers?: Record<string, string>
  /** It ends the caller's login. */
  endsLogin?: true
}

/** Whether the caller can see the target at all. */
export const seen: Rule = (caller, { state }) => {
  if (state === 'absent' || state === 'suspended' || caller === 'blocked') return 'not_found'
  return state === 'open' || caller === 'owner' ? null : 'not_found'
}
const others: Rule = (caller, target) => seen(caller, target) ?? (caller === 'owner' ? 'invalid' : null)
/** What is said of one's own list looks at nobody; what never was is not the caller's own id either. */
const ownList: Rule = (caller, { state }) => (caller === 'owner' && state !== 'absent' ? 'invalid' : null)
const owners: Rule = (caller, target) => seen(caller, target) ?? (caller === 'owner' ? null : 'forbidden')
const untaken: Rule = (caller, { state }) => (state === 'untaken' && caller === 'owner' ? null : 'not_found')
const anybody: Rule = (_, { state }) => (state === 'absent' ? 'not_found' : null)

let made = 0
const fresh = (prefix: string) => `${prefix}_${++made}`

async function unverified(): Promise<{ handle: string; email: string; password: string }> {
  const handle = fresh('newcomer')
  const json = { handle, email: `${handle}@example.com`, password: PASSWORD }
  await stranger().fetch('/v1/auth/register', { method: 'POST', json })
  return json
}

/** What each operation needs besides what the document says of it. */
export const examples: Record<string, Example> = {
  register: { json: () => ({ handle: fresh('reg'), email: `${fresh('reg')}@example.com`, password: PASSWORD }) },
  verifyAddress: { json: async () => ({ token: await mailedToken((await unverified()).handle), password: PASSWORD }) },
  logIn: { json: async () => ({ identifier: (await register(fresh('login'))).handle, password: PASSWORD }) },
  refreshLogin: { json: async () => ({ refreshToken: (await register(fresh('refresh'))).refreshToken }) },
  logOut: { endsLogin: true },
  logOutEverywhere: { endsLogin: true },
  setRole: { rule: anybody, json: () => ({ role: 'moderator' }) },
  editProfile: { json: () => ({ displayName: 'Ada', bio: 'Mathematician' }) },
  followAccount: { rule: others },
  unfollowAccount: { rule: ownList },
  blockAccount: { rule: ownList },
  unblockAccount: { rule: ownList },
  suspendAccount: { rule: anybody },
  liftSuspension: { rule: anybody },
  createPost: { json: () => ({ text: 'Hello', visibility: 'public', media: [] }) },
  deletePost: { rule: owners },
  likePost: { rule: seen },
  unlikePost: { rule: seen },
  markNotificationsRead: {},
  uploadMedia: { form: () => uploadForm(jpeg(), 'A dusk') },
  describeMedia: { rule: untaken, json: () => ({ alt: 'A dusk' }) },
  deleteMedia: { rule: untaken },
  createRealtimeTicket: {},
  openRealtime: { rule: (caller) => (caller === 'nobody' ? 'unauthorized' : null), headers: { upgrade: 'websocket' } },
}
