import { asViewer, type UserCtx } from '../../src/platform/context.ts'
import type { Id } from '../../src/platform/data/ids.ts'
import { Failure } from '../../src/platform/failures.ts'
import { blockAccount, unblockAccount } from '../../src/services/accounts/blocks.ts'
import { followAccount, unfollowAccount } from '../../src/services/accounts/follows.ts'
import { liftSuspension, suspendAccount } from '../../src/services/accounts/suspensions.ts'
import { keepAccount } from '../../src/services/identity/cancel-deletion.ts'
import { likePost, unlikePost } from '../../src/services/posts/likes.ts'
import { createPost, deletePost, PostCreation } from '../../src/services/posts/posts.ts'
import { deleteAccount } from '../../src/services/privacy/deletion.ts'
import { indexAccount } from '../../src/services/search/indexing.ts'
import { bulkAccounts } from '../support/actors.ts'
import { manualQueues } from '../support/manual-queues.ts'
import { seedImages } from '../support/seed.ts'
import type { Frame } from '../support/sockets.ts'
import { openSocket, type Socket } from '../support/sockets.ts'
import { withModeratorRole } from '../support/viewers.ts'
import type { SocketStep } from './listening.ts'
import type { Step } from './model.ts'
import type { Read } from './surfaces.ts'

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
  leave: deleteAccount,
  return: (ctx: UserCtx, { accountId }: { accountId: Id }) => keepAccount(ctx, accountId),
}
const REFUSALS = ['not_found', 'forbidden', 'conflict', 'suspended']

/** The product with three accounts on two shards, with open sockets of those `online`. Maps names of the model to ids. */
export async function startNetwork(online: readonly string[] = people) {
  const { context, ...queues } = manualQueues()
  const accounts = await bulkAccounts(people.length + 1)
  const moderatorId = accounts.pop()!.id
  const ids = new Map(people.map((name, i) => [name, accounts[i]!.id]))
  const names = new Map([...ids].map(([name, id]) => [id, name]))
  const images = new Map<string, Id>()
  const sockets = new Map<string, Socket>()
  const idOf = (name: string) => ids.get(name)!
  const nameOf = (id: Id | null | undefined) => (id ? names.get(id) : undefined)
  const handleOf = (name: string) => accounts[people.indexOf(name)]!.handle
  const tag = `of_${handleOf(people[0]!)}`
  const as = (name: string): UserCtx => asViewer(context(), idOf(name))
  const seqs = new Map<string, number>()
  async function connect(name: string, since: number | null = null, channels?: string[]): Promise<boolean> {
    const socket = await openSocket(idOf(name), since, channels)
    const { seq, resumed } = await socket.hello
    sockets.set(name, socket)
    seqs.set(name, seq)
    return resumed
  }
  await Promise.all(online.map((name) => connect(name)))
  await Promise.all(people.map((name) => indexAccount(context(), { accountId: idOf(name) })))

  async function perform(step: Exclude<Step, { do: 'post' }>): Promise<unknown> {
    const ctx =
      'who' in step
        ? as(step.who)
        : step.do === 'leave'
          ? as(step.whom)
          : withModeratorRole(asViewer(context(), moderatorId))
    const name = 'whom' in step ? step.whom : step.id
    return verbs[step.do](ctx, { accountId: idOf(name), postId: idOf(name) })
  }

  async function publish({ who, id, open, parent, mention }: Extract<Step, { do: 'post' }>): Promise<void> {
    const media = hasImage(id) ? await seedImages([idOf(who)]) : []
    const text = `${id} #${tag}${mention === null ? '' : ` @${handleOf(mention)}`}`
    const place = parent === null ? { visibility: open ? 'public' : 'followers' } : { parentId: idOf(parent) }
    const input = PostCreation.parse({ text, media, ...place })
    const { value } = await createPost(as(who), input)
    ids.set(id, value.id)
    names.set(value.id, id)
    if (media[0]) images.set(id, media[0])
  }

  /** Returns whether a socket that comes back has resumed; true for other steps. */
  async function applyToSocket(step: SocketStep): Promise<boolean> {
    if (step.do === 'resume') return connect(step.who, seqs.get(step.who), step.channels)
    const socket = sockets.get(step.who)!
    if (step.do === 'drop') {
      socket.close()
      sockets.delete(step.who)
    } else {
      const { seq } = await socket.ask(step.do === 'join' ? { join: step.channel } : { leave: step.channel })
      seqs.set(step.who, seq)
    }
    return true
  }

  /** Runs the verb of the step, and returns false if the verb refuses. The step's events wait for `deliver`. */
  async function apply(step: Step): Promise<boolean> {
    try {
      await (step.do === 'post' ? publish(step) : perform(step))
      return true
    } catch (error) {
      if (error instanceof Failure && REFUSALS.includes(error.code)) return false
      throw error
    }
  }

  function readAs(viewer: string | null): Read {
    const ctx = viewer === null ? { ...context(), viewer: null } : as(viewer)
    const signedAs = (name: string) => ({ ...ctx, viewer: as(name).viewer })
    return {
      ctx,
      people,
      posts: subjects().post,
      idOf,
      nameOf,
      handleOf,
      tag,
      imageOf: (post) => images.get(post)!,
      as: signedAs,
    }
  }

  /** The frames that each open socket has received since the last call. */
  async function receivedFrames(): Promise<Record<string, string[]>> {
    const summaryOf = ({ event, data }: Frame) =>
      event === 'notification'
        ? (data as { kind: string }).kind
        : `${event} ${nameOf((data as { authorId: Id }).authorId)} ${nameOf((data as { postId: Id }).postId)}`
    const open = [...sockets].filter(([, socket]) => !socket.isClosed())
    const entries = open.map(async ([name, socket]) => {
      const frames = await socket.takeFrames()
      seqs.set(name, frames.at(-1)?.seq ?? seqs.get(name)!)
      // The model has no withdrawn notifications: `groups.test.ts` checks who gets their frames.
      const told = frames.filter(({ event }) => event !== 'notification.withdrawn')
      return [name, told.map(summaryOf).sort()] as const
    })
    return Object.fromEntries(await Promise.all(entries))
  }

  const subjects = () => ({ post: [...ids.keys()].slice(people.length), image: [...images.keys()], person: people })
  const close = () => sockets.values().forEach((socket) => void socket.close())
  return { ...queues, apply, applyToSocket, readAs, receivedFrames, subjects, connect, close }
}

export type Network = Awaited<ReturnType<typeof startNetwork>>

/** Whether the post gets an image, as two out of every three posts do. */
function hasImage(post: string): boolean {
  return Number(post.slice(1)) % 3 > 0
}
