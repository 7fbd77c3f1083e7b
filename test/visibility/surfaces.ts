import type { Ctx, UserCtx } from '../../src/platform/context.ts'
import type { Id } from '../../src/platform/data/ids.ts'
import { getAccount, getAccountByHandle, getAccounts } from '../../src/services/accounts/accounts.ts'
import { listBlocks } from '../../src/services/accounts/blocks.ts'
import { listFollowers, listFollowing } from '../../src/services/accounts/follows.ts'
import type { Account } from '../../src/services/accounts/views.ts'
import { accountFeed, homeFeed, listPosts, publicFeed } from '../../src/services/feed/feeds.ts'
import { serveMedia } from '../../src/services/media/delivery.ts'
import { SignedQuery } from '../../src/services/media/signatures.ts'
import { mediaUrls } from '../../src/services/media/views.ts'
import { listComments, listMyComments } from '../../src/services/posts/comments.ts'
import { listLikes, listMyLikes } from '../../src/services/posts/likes.ts'
import { getPost } from '../../src/services/posts/posts.ts'
import { graphSurfaces } from './graph-surfaces.ts'
import type { Model, Post } from './model.ts'
import { ownSurfaces } from './own-surfaces.ts'
import { searchSurfaces } from './search-surfaces.ts'

type Viewer = string | null

/** A read request, and functions that translate between names in the model and ids in the product. */
export type Read = {
  ctx: Ctx
  people: readonly string[]
  posts: readonly string[]
  idOf: (name: string) => Id
  nameOf: (id: Id | null | undefined) => string | undefined
  imageOf: (post: string) => Id
  handleOf: (person: string) => string
  /** A hashtag that all posts have. */
  tag: string
  /** The context of the same request by another viewer. */
  as: (person: string) => UserCtx
}

export type Surface = {
  /** What is read: each post, image or person, or a single thing that belongs to the viewer or to everyone. */
  of: 'post' | 'image' | 'person' | 'viewer' | 'everyone'
  /** What the product returns. Throws `not_found` for what the product hides. */
  actual: (read: Read & { name: string }) => Promise<unknown>
  /** What the product should return, or undefined if it should hide it. */
  expected: (model: Model, viewer: Viewer, name: string) => unknown
}

const page = { limit: 50 }
const own = ({ ctx }: Read) => ctx as UserCtx

function names({ nameOf }: Read, { items }: { items: readonly { id: Id }[] }): string[] {
  return items.flatMap(({ id }) => nameOf(id) ?? []).sort()
}

function postsWhere({ posts }: Model, is: (post: Post, id: string) => boolean): string[] {
  return [...posts].flatMap(([id, post]) => (is(post, id) ? [id] : [])).sort()
}

const seen = (model: Model, viewer: Viewer, is: (post: Post) => boolean) =>
  postsWhere(model, (post, id) => is(post) && model.sees(viewer, id))
/** A comment names its root even if the root is hidden. The prefix tells `expectHidden` that this is no leak. */
const rootName = (root: string | undefined) => root && `under_${root}`
const isUnder = (post: Post, id: string) => post.root === id || post.parent === id

/** Whether the viewer finds a post on the page of `name`. Blocks and suspensions are ignored. */
const isOnPage = ({ isFollower }: Model, viewer: Viewer, name: string, { author, root, open }: Post) =>
  author === name && root === null && (open || isFollower(viewer, name))

function peopleWho({ people, knows }: Model, viewer: Viewer, of: string, is: (other: string) => boolean) {
  return knows(viewer, of) ? people.filter((other) => is(other) && knows(viewer, other)).sort() : undefined
}

const shownAccount = ({ followerCount, followingCount, postCount, relation }: Account) => ({
  counts: { followerCount, followingCount, postCount },
  relation,
})

function expectedAccount(model: Model, viewer: Viewer, name: string): unknown {
  const { follows, blocks } = model
  if (!model.knows(viewer, name)) return undefined
  const people = model.people.filter((other) => !model.isHidden(other))
  const counts = {
    followerCount: people.filter((other) => follows.has(`${other} ${name}`)).length,
    followingCount: people.filter((other) => follows.has(`${name} ${other}`)).length,
    postCount: postsWhere(model, (post) => isOnPage(model, viewer, name, post)).length,
  }
  const relation = {
    following: follows.has(`${viewer} ${name}`),
    followedBy: follows.has(`${name} ${viewer}`),
    blocking: blocks.has(`${viewer} ${name}`),
  }
  return { counts, relation: viewer === null || viewer === name ? null : relation }
}

/** Whether the viewer can load the image of a post from the URL signed for `signer`, or from the unsigned URL. */
async function canOpen({ ctx, as, imageOf, name }: Read & { name: string }, signer?: string): Promise<boolean> {
  const mediaId = imageOf(name)
  const { url } = signer === undefined ? { url: '' } : await mediaUrls(as(signer), mediaId, false)
  const query = SignedQuery.parse(Object.fromEntries(new URLSearchParams(url.split('?')[1])))
  const request = new Request('https://social.test', { headers: signer === undefined ? {} : { 'if-none-match': '*' } })
  const { status } = await serveMedia(ctx, { mediaId, variant: 'image', ...query }, request).catch(() => ({
    status: 404,
  }))
  return status === 200 || status === 304
}

const signature = (person: string) => `for_${person}`

function expectedOpenings({ people, sees }: Model, viewer: Viewer, name: string): unknown {
  const allowed = people.filter((signer) => sees(signer, name) && (viewer === null || viewer === signer))
  const signers = allowed.map(signature)
  return sees(viewer, name) || signers.length > 0 ? { plain: sees(viewer, name), signers } : undefined
}

/** Every read operation that depends on the viewer: what the product returns, and what the model expects. */
export const surfaces: Record<string, Surface> = {
  getPost: {
    of: 'post',
    actual: async ({ ctx, idOf, nameOf, name }) => {
      const { likeCount, commentCount, liked, author, rootId } = await getPost(ctx, { postId: idOf(name) })
      return { likeCount, commentCount, liked, author: nameOf(author.id), root: rootName(nameOf(rootId)) }
    },
    expected: (model, viewer, name) => {
      if (!model.sees(viewer, name)) return undefined
      const { likes, author, root } = model.posts.get(name)!
      const isCounted = (post: Post) =>
        model.seesThread(viewer, name) && isUnder(post, name) && !model.isHidden(post.author)
      const commentCount = postsWhere(model, isCounted).length
      const likeCount = [...likes].filter((who) => !model.isHidden(who)).length
      const liked = viewer !== null && likes.has(viewer)
      return { likeCount, commentCount, liked, author, root: rootName(root ?? undefined) }
    },
  },
  listComments: {
    of: 'post',
    actual: async (read) => names(read, await listComments(read.ctx, { postId: read.idOf(read.name), ...page })),
    expected: (model, viewer, name) =>
      model.sees(viewer, name)
        ? seen(model, viewer, (post) => model.seesThread(viewer, name) && isUnder(post, name))
        : undefined,
  },
  listMyComments: {
    of: 'viewer',
    actual: async (read) => names(read, await listMyComments(own(read), page)),
    expected: (model, viewer) => seen(model, viewer, ({ root, author }) => root !== null && author === viewer),
  },
  listLikes: {
    of: 'post',
    actual: async (read) => names(read, await listLikes(read.ctx, { postId: read.idOf(read.name), ...page })),
    expected: (model, viewer, name) =>
      model.sees(viewer, name)
        ? [...model.posts.get(name)!.likes].filter((who) => model.knows(viewer, who)).sort()
        : undefined,
  },
  listMyLikes: {
    of: 'viewer',
    actual: async (read) => {
      const { items } = await listMyLikes(own(read), page)
      const known = items.flatMap(({ post }) => post ?? [])
      return { known: names(read, { items: known }), hidden: items.length - known.length }
    },
    expected: (model, viewer) => {
      const liked = postsWhere(model, ({ likes }) => likes.has(viewer!))
      const known = liked.filter((id) => model.sees(viewer, id))
      return { known, hidden: liked.length - known.length }
    },
  },
  getMedia: {
    of: 'image',
    actual: async (read) => {
      const [plain, ...signed] = await Promise.all([undefined, ...read.people].map((signer) => canOpen(read, signer)))
      const signers = read.people.filter((_, i) => signed[i]).map(signature)
      return plain || signers.length > 0 ? { plain, signers } : undefined
    },
    expected: expectedOpenings,
  },
  getHomeFeed: {
    of: 'viewer',
    actual: async (read) => names(read, await homeFeed(own(read), page)),
    expected: (model, viewer) => seen(model, viewer, (post) => !post.root && model.isFollower(viewer, post.author)),
  },
  getPublicFeed: {
    of: 'everyone',
    actual: async (read) => names(read, await publicFeed(read.ctx, page)),
    expected: (model, viewer) => seen(model, viewer, (post) => !post.root && post.open),
  },
  getAccountFeed: {
    of: 'person',
    actual: async (read) => names(read, await accountFeed(read.ctx, { accountId: read.idOf(read.name), ...page })),
    expected: (model, viewer, name) =>
      model.knows(viewer, name) ? seen(model, viewer, (post) => isOnPage(model, viewer, name, post)) : undefined,
  },
  listPosts: {
    of: 'everyone',
    actual: async (read) => names(read, await listPosts(read.ctx, { ids: read.posts.map(read.idOf) })),
    expected: (model, viewer) => seen(model, viewer, () => true),
  },
  getAccounts: {
    of: 'everyone',
    actual: async (read) => names(read, await getAccounts(read.ctx, { ids: read.people.map(read.idOf) })),
    expected: ({ people, knows }, viewer) => people.filter((name) => knows(viewer, name)).sort(),
  },
  getAccount: {
    of: 'person',
    actual: async ({ ctx, idOf, name }) => shownAccount(await getAccount(ctx, { accountId: idOf(name) })),
    expected: expectedAccount,
  },
  getAccountByHandle: {
    of: 'person',
    actual: async ({ ctx, handleOf, name }) => shownAccount(await getAccountByHandle(ctx, { handle: handleOf(name) })),
    expected: expectedAccount,
  },
  getMe: {
    of: 'viewer',
    actual: async (read) => shownAccount(await getAccount(read.ctx, { accountId: own(read).viewer.id })),
    expected: (model, viewer) => expectedAccount(model, viewer, viewer!),
  },
  listBlocks: {
    of: 'viewer',
    actual: async (read) => {
      const { items } = await listBlocks(own(read), page)
      const known = items.flatMap(({ account }) => account ?? [])
      return { known: names(read, { items: known }), hidden: items.length - known.length }
    },
    expected: ({ people, blocks, knows }, viewer) => {
      const blocked = people.filter((other) => blocks.has(`${viewer} ${other}`))
      const known = blocked.filter((other) => knows(viewer, other)).sort()
      return { known, hidden: blocked.length - known.length }
    },
  },
  listFollowers: {
    of: 'person',
    actual: async (read) => names(read, await listFollowers(read.ctx, { accountId: read.idOf(read.name), ...page })),
    expected: (model, viewer, name) => peopleWho(model, viewer, name, (other) => model.follows.has(`${other} ${name}`)),
  },
  listFollowing: {
    of: 'person',
    actual: async (read) => names(read, await listFollowing(read.ctx, { accountId: read.idOf(read.name), ...page })),
    expected: (model, viewer, name) => peopleWho(model, viewer, name, (other) => model.follows.has(`${name} ${other}`)),
  },
  ...ownSurfaces,
  ...searchSurfaces,
  ...graphSurfaces,
}
