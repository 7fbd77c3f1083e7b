import fc from 'fast-check'
import { expect, test } from 'vitest'
import { getAccount } from '../../src/services/accounts/accounts.ts'
import { listFollowers, listFollowing } from '../../src/services/accounts/follows.ts'
import { accountFeed } from '../../src/services/feed/feeds.ts'
import { listComments } from '../../src/services/posts/comments.ts'
import { listLikes } from '../../src/services/posts/likes.ts'
import { getPost } from '../../src/services/posts/posts.ts'
import { operations } from '../sweeps/operations.ts'
import { expectedFrames, expectSocket } from './frames.ts'
import {
  addressed,
  comingBack,
  everyKind,
  hiddenLikes,
  hiddenTwice,
  Intent,
  kinds,
  mutualBlocks,
  stepOf,
} from './intents.ts'
import { isSocketStep, makeListening } from './listening.ts'
import { type Model, makeModel, type Step } from './model.ts'
import { type Network, people, startNetwork } from './network.ts'
import { type Surface, surfaces } from './surfaces.ts'

/** The number of random histories. `VISIBILITY_RUNS=10000 npm test -- visibility` takes a night. */
const RUNS = Number(process.env.VISIBILITY_RUNS || 10)
const TIMEOUT_MS = 60_000 + RUNS * 30_000

type Viewer = string | null
/** What a viewer sees. Each key is a read operation and the name of what is read, for example a post. */
type View = Record<string, unknown>
const viewers: Viewer[] = [...people, null]

/** Calls `ask` for every surface and each of its subjects. Undefined results are left out. */
async function viewBy(network: Network, viewer: Viewer, ask: (surface: Surface, name: string) => unknown) {
  const subjects = { ...network.subjects(), viewer: viewer === null ? [] : [''], everyone: [''] }
  const answers = Object.entries(surfaces).flatMap(([operation, surface]) =>
    subjects[surface.of].map(async (name) => [`${operation} ${name}`, await ask(surface, name)] as const),
  )
  return Object.fromEntries((await Promise.all(answers)).filter(([, answer]) => answer !== undefined))
}

function shownTo(viewer: Viewer, network: Network): Promise<View> {
  const read = network.readAs(viewer)
  const absent = (error: { code?: string }) => {
    if (error.code !== 'not_found') throw error
  }
  return viewBy(network, viewer, (surface, name) => surface.actual({ ...read, name }).catch(absent))
}

/** What a step hides at once, before its events are processed: the names, and the viewers from whom they are hidden. */
function hiddenBy(step: Step, { posts }: Model): { from: Viewer[]; names: string[] } | null {
  const account = step.do === 'block' ? step.who : step.do === 'suspend' || step.do === 'leave' ? step.whom : null
  const deleted = step.do === 'delete' ? step.id : null
  if (account === null && deleted === null) return null
  const isHidden = (id: string | null) => id !== null && (id === deleted || posts.get(id)?.author === account)
  const hidden = [...posts].flatMap(([id, { root }]) => (isHidden(id) || isHidden(root) ? [id] : []))
  const from = step.do === 'block' ? [step.whom] : viewers.filter((viewer) => viewer !== account)
  return { from, names: account === null ? hidden : [account, ...hidden] }
}

/** Whether a read is that of an image that opens only with URLs signed for accounts that see its post. */
function isSignedImage({ sees }: Model, [read, answer]: [string, unknown]): boolean {
  const [operation, name] = read.split(' ')
  const { plain, signers = [] } = answer as { plain?: boolean; signers?: string[] }
  return operation === 'getMedia' && !plain && signers.every((signer) => sees(signer.replace('for_', ''), name!))
}

/** Expects that no viewer is shown a hidden name, except those of comments that are addressed to the viewer. */
async function expectHidden(network: Network, model: Model, hidden: { from: Viewer[]; names: string[] }) {
  for (const viewer of hidden.from) {
    const shown = Object.entries(await shownTo(viewer, network)).filter((read) => !isSignedImage(model, read))
    const words = new Set(JSON.stringify(shown).match(/\w+/g))
    const leaked = hidden.names.filter((name) => words.has(name) && !model.sees(viewer, name))
    expect({ viewer, leaked }).toEqual({ viewer, leaked: [] })
  }
}

/** Expects that counts equal the lengths of lists. Does nothing for a viewer who blocks or is blocked. */
async function expectCounts(viewer: Viewer, network: Network, { blocks }: Model): Promise<void> {
  const { ctx, idOf, people } = network.readAs(viewer)
  if ([...blocks].some((pair) => viewer !== null && pair.split(' ').includes(viewer))) return
  const page = { limit: 50 }
  for (const name of network.subjects().post) {
    const post = await getPost(ctx, { postId: idOf(name) }).catch(() => null)
    if (!post) continue
    const [comments, likes] = await Promise.all(
      [listComments, listLikes].map((list) => list(ctx, { postId: post.id, ...page })),
    )
    expect({ viewer, name, comments: comments!.items.length, likes: likes!.items.length }).toEqual({
      viewer,
      name,
      comments: post.commentCount,
      likes: post.likeCount,
    })
  }
  for (const name of people) {
    const account = await getAccount(ctx, { accountId: idOf(name) }).catch(() => null)
    if (!account) continue
    const { id, postCount, followerCount, followingCount } = account
    const lists = await Promise.all(
      [accountFeed, listFollowers, listFollowing].map((list) => list(ctx, { accountId: id, ...page })),
    )
    const lengths = lists.map(({ items }) => items.length)
    expect({ viewer, name, lengths }).toEqual({ viewer, name, lengths: [postCount, followerCount, followingCount] })
  }
}

async function expectView(viewer: Viewer, network: Network, model: Model, step: Step): Promise<void> {
  const expected = await viewBy(network, viewer, (surface, name) => surface.expected(model, viewer, name))
  expect({ viewer, step, ...(await shownTo(viewer, network)) }).toEqual({ viewer, step, ...expected })
}

const covered = new Set<Intent['do']>()

async function runHistory(intents: Intent[]): Promise<void> {
  const model = makeModel(people)
  const listening = makeListening(people)
  const network = await startNetwork()
  let number = 0
  for (const intent of intents) {
    const step = stepOf(intent, model, number, listening)
    if (step === null) continue
    if (isSocketStep(step)) {
      await expectSocket(step, network, model, listening)
      covered.add(step.do)
      continue
    }
    const hidden = hiddenBy(step, model)
    const wasHidden = people.filter(model.isHidden)
    const notifiedBefore = new Set(model.notifications)
    const allowed = model.apply(step)
    expect({ step, allowed: await network.apply(step) }).toEqual({ step, allowed })
    if (allowed) covered.add(step.do === 'post' && step.parent !== null ? 'comment' : step.do)
    if (step.do === 'post' && allowed) number += 1
    if (hidden && allowed) await expectHidden(network, model, hidden)
    await network.finishDeferred({ run: intent.survives })
    await network.deliver({ times: 2, random: seeded(intent.seed) })
    for (const name of people) if (model.isHidden(name)) listening.disconnect(name)
    for (const name of wasHidden.filter((each) => !model.isHidden(each))) {
      await network.connect(name)
      listening.connect(name)
    }
    const notified = model.notifications.filter((each) => !notifiedBefore.has(each))
    const frames = expectedFrames(step, model, listening, notified)
    expect({ step, frames: await network.receivedFrames() }).toEqual({ step, frames })
    await Promise.all(viewers.map((viewer) => expectView(viewer, network, model, step)))
    await Promise.all(viewers.map((viewer) => expectCounts(viewer, network, model)))
  }
  network.close()
}

/** Reproducible random numbers from 0 to 1. */
function seeded(seed: number): () => number {
  let state = seed % 2_147_483_648
  return () => {
    state = (state * 1_103_515 + 12_345) % 2_147_483_648
    return state / 2_147_483_648
  }
}

test(
  'after every step of a random history, each viewer sees in every read and on the socket what the model expects',
  async () => {
    const history = fc.array(Intent, { minLength: 12, maxLength: 25, size: 'max' })
    await fc.assert(fc.asyncProperty(history, runHistory), {
      numRuns: RUNS,
      unbiased: true,
      endOnFailure: true, // Shrinking would take longer than the timeout, which hides the history that failed.
      examples: [[everyKind], [hiddenTwice], [mutualBlocks], [hiddenLikes], [addressed], [comingBack]],
    })
    expect(covered, 'every kind of step must be applied at least once').toEqual(new Set(kinds))
  },
  TIMEOUT_MS,
)

test('every read operation that depends on the viewer is listed in test/visibility/surfaces.ts', () => {
  // Signing keys, limits, providers and the rules of registration are the same for everyone. The viewer's identity, logins,
  // keys, apps, invitations and waiting registrations show nothing of others that could be hidden. Only admins read the
  // audit log, roles and what an account has. Explanations of access have tests of their own.
  // Frames of sockets are compared after every step.
  const excluded = [
    'listSigningKeys',
    'getLimits',
    'readRegistration',
    'listInvitations',
    'listRegistrations',
    'readIdentity',
    'listNotificationActors', // its length is compared with the count of its group in groups.test.ts
    ...['readNotificationPreferences', 'readPushKey', 'listPushSubscriptions', 'showUnsubscribePage'],
    'listAudit',
    'openRealtime',
    'listSessions',
    'listExports',
    'downloadExport',
    'listLoginProviders',
    'listProviderLinks',
    'readSecondFactors',
    'listPasskeys',
    'listApiKeys',
    'listApps',
    'listAllowedApps',
    'readAuthorization',
    'explainMyAccess',
    'listRoles',
    'readAccess',
    // Trends of hashtags and links are the same for everyone: test/services/search/hidden.test.ts.
    'getTrendingTags',
    'getTrendingLinks',
    'listFollowedTags',
    // Numbers without people: test/services/analytics.
    ...['getActivityChoice', 'getMyInsights', 'getOverview', 'getRetention', 'getFunnel', 'getTopPosts'],
    // The webhooks of the caller. What they tell of others is checked in deliveries.test.ts.
    ...['listWebhooks', 'getWebhook', 'listWebhookDeliveries', 'getWebhookDelivery'],
    // Only members read a conversation, which test/services/messaging checks.
    'listConversations',
    'readConversationLog',
    'countUnreadMessages',
    'getConversation',
    'listMessages',
    'getMessage',
    'listMessageEdits',
    'readMessageLog',
    'listReactions',
    'listPinnedMessages',
    'searchMessages',
    'listMarks',
    'getMessageSettings',
    ...['getGroup', 'listMembers', 'listJoinRequests'],
  ]
  const reads = operations.filter(({ method }) => method === 'GET').map(({ id }) => id)
  expect(
    reads.filter((id) => !(id in surfaces) && !excluded.includes(id)),
    'add to test/visibility/surfaces.ts',
  ).toEqual([])
})
