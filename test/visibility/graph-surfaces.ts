import { executeGraph } from '../support/graph.ts'
import type { Model } from './model.ts'
import type { Read, Surface } from './surfaces.ts'

type Viewer = string | null
type Named = { databaseId: string } | null
type Nodes<T> = { nodes: T[] } | null
type Comment = { databaseId: string; parent: Named; root: Named; likers: Nodes<NonNullable<Named>> }

const idOf = (read: Read, node: Named | undefined) => read.nameOf(node?.databaseId as never) ?? null
const namesIn = (read: Read, list: Nodes<NonNullable<Named>>) => list?.nodes.map((node) => idOf(read, node)).sort()
const byName = <T extends { name: unknown }>(items: T[]) =>
  items.toSorted((a, b) => String(a.name).localeCompare(String(b.name)))

// biome-ignore lint/suspicious/noExplicitAny: the data of any query
type Found = Record<string, any>

/** Nobody reads as a hidden account: its requests are refused. */
async function dataFor(read: Read, query: string, id: string): Promise<Found | undefined> {
  const { data } = await executeGraph(read.ctx, `query ($id: ID!) { ${read.ctx.viewer ? 'me { id }' : ''} ${query} }`, {
    id,
  })
  return read.ctx.viewer && !data?.me ? undefined : (data ?? undefined)
}

const expectedIf =
  (expected: (model: Model, viewer: Viewer, name: string) => unknown) => (model: Model, viewer: Viewer, name: string) =>
    viewer !== null && model.isHidden(viewer) ? undefined : expected(model, viewer, name)

const seenOrNull = ({ sees }: Model, viewer: Viewer, name: string | null) =>
  name !== null && sees(viewer, name) ? name : null

function relativesOf(model: Model, viewer: Viewer, name: string) {
  const { parent, root } = model.posts.get(name)!
  return { parent: seenOrNull(model, viewer, parent), root: seenOrNull(model, viewer, root) }
}

const likersOf = ({ posts, knows }: Model, viewer: Viewer, name: string) =>
  [...posts.get(name)!.likes].filter((who) => knows(viewer, who)).sort()

const followersOf = ({ people, follows, knows }: Model, viewer: Viewer, name: string) =>
  people.filter((other) => follows.has(`${other} ${name}`) && knows(viewer, other)).sort()

/** What a viewer reaches along the links of the graph, several steps from what it asked for. */
export const graphSurfaces: Record<string, Surface> = {
  'graph of a post': {
    of: 'post',
    actual: async (read) => {
      const link = 'parent { databaseId } root { databaseId } likers(first: 10) { nodes { databaseId } }'
      const query = `post(postId: $id) { ${link} comments(first: 40) { nodes { databaseId ${link} } } }`
      const { post } = (await dataFor(read, query, read.idOf(read.name))) ?? {}
      if (!post) return undefined
      const related = ({ parent, root, likers }: Comment) => ({
        parent: idOf(read, parent),
        root: idOf(read, root),
        likers: namesIn(read, likers),
      })
      const comments = post.comments.nodes.map((comment: Comment) => ({
        name: idOf(read, comment),
        ...related(comment),
      }))
      return { ...related(post), comments: byName(comments) }
    },
    expected: expectedIf((model, viewer, name) => {
      if (!model.sees(viewer, name)) return undefined
      const related = (id: string) => ({ ...relativesOf(model, viewer, id), likers: likersOf(model, viewer, id) })
      const isUnder = ([id, { root, parent }]: [string, { root: string | null; parent: string | null }]) =>
        model.seesThread(viewer, name) && (root === name || parent === name) && model.sees(viewer, id)
      const comments = [...model.posts].filter(isUnder).map(([id]) => ({ name: id, ...related(id) }))
      return { ...related(name), comments: byName(comments) }
    }),
  },
  'graph of an account': {
    of: 'person',
    actual: async (read) => {
      const query = `account(accountId: $id) {
        posts(first: 40) { nodes { databaseId author { databaseId } } }
        followers { nodes { databaseId followers { nodes { databaseId } } } } }`
      const { account } = (await dataFor(read, query, read.idOf(read.name))) ?? {}
      if (!account) return undefined
      const posts = account.posts.nodes.map(
        (post: { author: Named } & NonNullable<Named>) => `${idOf(read, post)} ${idOf(read, post.author)}`,
      )
      const followers = account.followers.nodes.map(
        (node: NonNullable<Named> & { followers: Nodes<NonNullable<Named>> }) => ({
          name: idOf(read, node),
          followers: namesIn(read, node.followers),
        }),
      )
      return { posts: posts.sort(), followers: byName(followers) }
    },
    expected: expectedIf((model, viewer, name) => {
      if (!model.knows(viewer, name)) return undefined
      const isListed = ([id, { author, root, open }]: [
        string,
        { author: string; root: string | null; open: boolean },
      ]) => author === name && root === null && (open || model.isFollower(viewer, name)) && model.sees(viewer, id)
      const posts = [...model.posts].filter(isListed).map(([id]) => `${id} ${name}`)
      const followers = followersOf(model, viewer, name).map((each) => ({
        name: each,
        followers: followersOf(model, viewer, each),
      }))
      return { posts: posts.sort(), followers: byName(followers) }
    }),
  },
  'graph of notifications': {
    of: 'viewer',
    actual: async (read) => {
      const query =
        'node(id: $id) { id } notifications(first: 40) { nodes { kind actor { databaseId } post { databaseId parent { databaseId } root { databaseId } } } }'
      const found = await dataFor(read, query, '1')
      return found?.notifications.nodes
        .map(({ kind, actor, post }: { kind: string; actor: Named; post: Comment | null }) =>
          [
            kind.toLowerCase(),
            idOf(read, actor),
            idOf(read, post),
            idOf(read, post?.parent),
            idOf(read, post?.root),
          ].join(' '),
        )
        .sort()
    },
    expected: expectedIf((model, viewer) => {
      const visible = model.notifications.filter(
        ({ to, actor, id }) =>
          to === viewer &&
          model.knows(to, actor) &&
          !model.blocks.has(`${to} ${actor}`) &&
          (id === null || model.sees(to, id)),
      )
      return visible
        .map(({ kind, actor, id }) => {
          const { parent, root } = id === null ? { parent: null, root: null } : relativesOf(model, viewer, id)
          return [kind, actor, id, parent, root].join(' ')
        })
        .sort()
    }),
  },
}
