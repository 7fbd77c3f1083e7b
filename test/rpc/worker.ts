import { type NotificationService, type PostService, RpcFailure, type UserService, unwrap } from 'socialconnect/rpc'

type Env = {
  USERS: UserService
  POSTS: PostService
  NOTIFICATIONS: NotificationService
  PUBLIC: PostService
  UNTRUSTED: PostService
}

/** What `unwrap` throws for a failed call. */
async function failureOf(work: Promise<unknown>): Promise<unknown> {
  const error = await work.catch((thrown: unknown) => thrown)
  return error instanceof RpcFailure ? error.error : error
}

/** Welcomes an account as billing would: with a follow and a post, each seen by the next call. */
async function welcome({ USERS, POSTS, NOTIFICATIONS, PUBLIC }: Env, [service, customer]: [string, string]) {
  const followed = await USERS.followAccount({ accountId: customer }, { as: service, requestId: 'welcome-1' })
  const { handle, relation } = unwrap(followed)
  const bookmarks = (followed.ok && followed.bookmarks) || undefined
  const idempotencyKey = `welcome-${customer}`
  const created = await POSTS.createPost({ text: `Welcome, @${handle}!` }, { as: service, idempotencyKey, bookmarks })
  const post = unwrap(created)
  const repeated = await POSTS.createPost({ text: `Welcome, @${handle}!` }, { as: service, idempotencyKey })
  return {
    relation,
    post,
    repeated: repeated.ok && repeated.replayed,
    seen: unwrap(await PUBLIC.listPosts({ author: service, limit: 5 })).items.map(({ id }) => id),
    batch: unwrap(await USERS.getAccounts({ ids: [customer, service] })).items.map(({ id }) => id),
    unread: unwrap(await NOTIFICATIONS.countUnreadNotifications({}, { as: customer })),
  }
}

async function failures({ USERS, POSTS, NOTIFICATIONS, PUBLIC, UNTRUSTED }: Env, as: string) {
  const shape = { text: 5, colour: 'red' } as never
  return {
    shape: await failureOf(POSTS.createPost(shape, { as }).then(unwrap)),
    scope: await failureOf(NOTIFICATIONS.markNotificationsRead({} as never, { as }).then(unwrap)),
    missing: await failureOf(PUBLIC.getPost({ postId: '1' }).then(unwrap)),
    system: await failureOf(PUBLIC.createPost({ text: 'x' }, { as }).then(unwrap)),
    untrusted: await failureOf(UNTRUSTED.getLimits({}).then(unwrap)),
    // @ts-expect-error: not offered, because it takes a password
    credentials: await failureOf(USERS.changePassword({}, { as }).then(unwrap)),
  }
}

/** Attempts to reach what is no operation. Each attempt must throw. */
async function intrusions({ POSTS }: Env): Promise<string[]> {
  const names = ['env', 'ctx', 'answer', 'getMe', 'alarm', 'scheduled', 'queue']
  const methods = POSTS as unknown as Record<string, (...args: unknown[]) => Promise<unknown>>
  const reached = names.map(async (name) => {
    const value = await methods[name]!({}, {}).catch(() => null)
    return value === null ? [] : [name]
  })
  return (await Promise.all(reached)).flat()
}

/** Never runs: the compiler checks it. */
export async function misuse({ USERS, POSTS }: Env): Promise<void> {
  const { value } = await POSTS.createPost({ text: 'x', visibility: 'public', media: ['1'] }, { as: '1' }).then(
    (result) => ({ value: unwrap(result).author.handle satisfies string }),
  )
  await POSTS.deletePost({ postId: value }, { as: '1' }).then((result) => unwrap(result) satisfies null)
  // @ts-expect-error: an account must act
  await POSTS.createPost({ text: 'x' })
  // @ts-expect-error: not a visibility
  await POSTS.createPost({ text: 'x', visibility: 'nobody' }, { as: '1' })
  // @ts-expect-error: the id is required
  await POSTS.getPost({})
  // @ts-expect-error: a limit is a number
  await POSTS.listPosts({ author: '1', limit: '5' })
  // @ts-expect-error: answers over HTTP only
  await POSTS.getMedia({ mediaId: '1', variant: 'image' })
  // @ts-expect-error: requires a login in which the person has just entered the credentials
  await USERS.deleteAccount({}, { as: '1' })
}

async function story(request: Request, env: Env): Promise<object> {
  const { accounts } = await request.json<{ accounts: [string, string] }>()
  const [welcomed, failed] = [await welcome(env, accounts), await failures(env, accounts[0])]
  return { ...welcomed, ...failed, intrusions: await intrusions(env) }
}

export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    const told = story(request, env).then((result) => Response.json(result))
    return told.catch((error: unknown) => new Response(String(error), { status: 500 }))
  },
}
