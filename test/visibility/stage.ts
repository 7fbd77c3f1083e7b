import { asViewer, type UserCtx } from '../../src/platform/context.ts'
import type { Id } from '../../src/platform/data/ids.ts'
import { Failure } from '../../src/platform/http/errors.ts'
import type { Frame } from '../../src/platform/realtime/user-hub.object.ts'
import { blockAccount, unblockAccount } from '../../src/services/accounts/blocks.ts'
import { followAccount, unfollowAccount } from '../../src/services/accounts/follows.ts'
import { liftSuspension, suspendAccount } from '../../src/services/accounts/suspensions.ts'
import { likePost, unlikePost } from '../../src/services/posts/likes.ts'
import { createPost, deletePost, NewPost } from '../../src/services/posts/posts.ts'
import { heldBack } from '../support/held.ts'
import { seedImages, seedPeople } from '../support/rows.ts'
import { openSocket, type Socket } from '../support/sockets.ts'
import { moderating } from '../support/town.ts'
import type { Step } from './model.ts'
import type { Look } from './surfaces.ts'

export const people = ['ada', 'bob', 'cyd']
const verbs = {
  follow: followAccount,
  unfollow: unfollowAccount,
  block: blockAccount,
  unblock: unblockAccount,
  suspend: suspendAccount,
  lift: liftSuspension,
  like: likePost,
  unlike: unlikePost,
  delete: deletePost,
}
const REFUSALS = ['not_found', 'forbidden', 'conflict']

/** The product with three people on two shards, each with a socket open. Everything goes by the name the model has for it. */
export async function openStage() {
  const { context, ...queues } = heldBack()
  const cast = await seedPeople(`v${crypto.randomUUID().slice(0, 8)}_`, people.length + 1, (i) => i % 2)
  const moderatorId = cast.pop()!.id
  const ids = new Map(people.map((name, i) => [name, cast[i]!.id]))
  const names = new Map([...ids].map(([name, id]) => [id, name]))
  const images = new Map<string, Id>()
  const sockets = new Map<string, Socket>()
  const idOf = (name: string) => ids.get(name)!
  const nameOf = (id: Id | null | undefined) => (id ? names.get(id) : undefined)
  const handleOf = (name: string) => cast[people.indexOf(name)]!.handle
  const as = (name: string): UserCtx => asViewer(context(), idOf(name))
  const connect = async (name: string) => void sockets.set(name, await openSocket(idOf(name)))
  await Promise.all(people.map(connect))

  async function perform(step: Exclude<Step, { do: 'post' }>): Promise<unknown> {
    const ctx = 'who' in step ? as(step.who) : moderating(asViewer(context(), moderatorId))
    const name = 'whom' in step ? step.whom : step.id
    return verbs[step.do](ctx, { accountId: idOf(name), postId: idOf(name) })
  }

  async function publish({ who, id, open, parent, mention }: Extract<Step, { do: 'post' }>): Promise<void> {
    const media = isIllustrated(id) ? await seedImages([idOf(who)]) : []
    const text = mention === null ? id : `${id} @${handleOf(mention)}`
    const above = parent === null ? {} : { parentId: idOf(parent) }
    const input = NewPost.parse({ text, visibility: open ? 'public' : 'followers', media, ...above })
    const { value } = await createPost(as(who), input)
    ids.set(id, value.id)
    names.set(value.id, id)
    if (media[0]) images.set(id, media[0])
  }

  /** Does what the step says; false when it is refused. What it sets off waits for `deliver`. */
  async function take(step: Step): Promise<boolean> {
    try {
      await (step.do === 'post' ? publish(step) : perform(step))
      return true
    } catch (error) {
      if (error instanceof Failure && REFUSALS.includes(error.code)) return false
      throw error
    }
  }

  function lookFrom(viewer: string | null): Look {
    const ctx = viewer === null ? { ...context(), viewer: null } : as(viewer)
    const signedAs = (name: string) => ({ ...ctx, viewer: as(name).viewer })
    return { ctx, people, idOf, nameOf, handleOf, imageOf: (post) => images.get(post)!, as: signedAs }
  }

  /** What each open socket has been sent since the last time, as `kind post`; nothing for a socket that was closed. */
  async function heard(): Promise<Record<string, string[]>> {
    const said = ({ event, data }: Frame) =>
      event === 'notification'
        ? (data as { kind: string }).kind
        : `${event} ${nameOf((data as { authorId: Id }).authorId)} ${nameOf((data as { postId: Id }).postId)}`
    const open = [...sockets].filter(([, socket]) => !socket.isClosed())
    const entries = open.map(async ([name, socket]) => [name, (await socket.takeFrames()).map(said).sort()] as const)
    return Object.fromEntries(await Promise.all(entries))
  }

  const things = () => ({ post: [...ids.keys()].slice(people.length), image: [...images.keys()], person: people })
  const close = () => sockets.values().forEach((socket) => void socket.close())
  return { ...queues, take, lookFrom, heard, things, connect, close }
}

/** Two posts of three have an image. */
function isIllustrated(post: string): boolean {
  return Number(post.slice(1)) % 3 > 0
}
