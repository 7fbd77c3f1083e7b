import { env } from 'cloudflare:workers'
import type { Role } from '../../src/platform/context.ts'
import { type Id, toId } from '../../src/platform/data/ids.ts'
import { accountsOn, bulkAccounts, bulkIds } from '../support/actors.ts'
import { insertByShard, insertRows, shards } from '../support/databases.ts'
import { insertNotification } from '../support/pushes.ts'
import { seedFollows, seedLikes, seedPosts } from '../support/seed.ts'
import { audit } from './audit-list.ts'
import { foundPosts } from './found-posts.ts'
import { conversations, joinRequests, members, messages } from './messaging-lists.ts'
import { webhookDeliveries } from './webhook-lists.ts'

/** A list that changes while its reader pages through it. */
export type List = {
  reader: Id
  /** The role that reading the list requires; a user by default. */
  role?: Role
  /** May have a query. */
  path: string
  /** Adds entries, and returns the ids under which the list shows the entries. */
  add: (count: number) => Promise<Id[]>
  remove: (id: Id) => Promise<void>
}

/** Runs the statement on each database. */
async function run(databases: readonly D1Database[], statement: string, ...ids: Id[]): Promise<void> {
  for (const db of databases) {
    await db
      .prepare(statement)
      .bind(...ids.map(Number))
      .run()
  }
}

function postsBy(author: Id, reader: Id, path: string): List {
  return {
    reader,
    path,
    add: (count) => seedPosts(Array.from({ length: count }, () => author)),
    remove: async (id) => {
      await run(shards, 'DELETE FROM posts WHERE id = ?', id)
      await run(shards, 'DELETE FROM feed_index WHERE post_id = ?', id)
      await run([env.INDEX], 'DELETE FROM public_posts WHERE post_id = ?', id)
    },
  }
}

async function follows(side: 'followers' | 'following'): Promise<List> {
  const [account] = await accountsOn(0)
  const pair = (other: Id): [Id, Id] => (side === 'followers' ? [other, account] : [account, other])
  return {
    reader: account,
    path: `/v1/accounts/${account}/${side}`,
    add: async (count) => {
      const others = await bulkIds(count)
      await seedFollows(others.map(pair))
      return others
    },
    remove: async (other) => {
      const [follower, followee] = pair(other)
      await run(shards, 'DELETE FROM follows WHERE follower_id = ? AND followee_id = ?', follower, followee)
      await run(shards, 'DELETE FROM followers WHERE account_id = ? AND follower_id = ?', followee, follower)
    },
  }
}

async function blocks(): Promise<List> {
  const [account] = await accountsOn(0)
  let last = 0
  return {
    reader: account,
    path: '/v1/accounts/me/blocks',
    add: async (count) => {
      const others = await bulkIds(count)
      const own = { account_id: Number(account), by_me: 1 }
      const rows = others.map((other) => ({ ...own, other_id: Number(other), id: ++last }))
      await insertRows(shards[0], 'blocks', rows)
      return others
    },
    remove: (other) => run(shards, 'DELETE FROM blocks WHERE account_id = ? AND other_id = ?', account, other),
  }
}

async function likes(side: 'accounts' | 'posts'): Promise<List> {
  const [reader, author] = await accountsOn(0, 1)
  const [post] = (await seedPosts([author])) as [Id]
  const pair = (entry: Id): [Id, Id] => (side === 'accounts' ? [entry, post] : [reader, entry])
  return {
    reader,
    path: side === 'accounts' ? `/v1/posts/${post}/likes` : '/v1/me/likes',
    add: async (count) => {
      const authors = Array.from({ length: count }, () => author)
      const entries = side === 'accounts' ? await bulkIds(count) : await seedPosts(authors)
      await seedLikes(entries.map(pair))
      return entries
    },
    remove: async (entry) => {
      for (const table of ['likes', 'post_likers', 'liked_posts'])
        await run(shards, `DELETE FROM ${table} WHERE account_id = ? AND post_id = ?`, ...pair(entry))
    },
  }
}

async function comments(): Promise<List> {
  const [author] = await accountsOn(0)
  const [root] = (await seedPosts([author])) as [Id]
  return {
    reader: author,
    path: `/v1/posts/${root}/comments`,
    add: async (count) => {
      const ids = await seedPosts(Array.from({ length: count }, () => author))
      for (const id of ids)
        await run(shards, 'UPDATE posts SET root_id = ?, parent_id = ? WHERE id = ?', root, root, id)
      const rows = ids.map((id) => ({ thread_id: Number(root), post_id: Number(id) }))
      await insertByShard('thread_index', rows, () => root)
      return ids
    },
    remove: (id) => run(shards, 'DELETE FROM thread_index WHERE post_id = ?', id),
  }
}

async function ownComments(): Promise<List> {
  const [author] = await accountsOn(0)
  const [root] = (await seedPosts([author])) as [Id]
  return {
    reader: author,
    path: '/v1/me/comments',
    add: async (count) => {
      const ids = await seedPosts(Array.from({ length: count }, () => author))
      for (const id of ids) {
        await run(shards, 'UPDATE posts SET root_id = ?, parent_id = ? WHERE id = ?', root, root, id)
        await run([shards[0]], 'UPDATE feed_index SET lane = 1 WHERE lane = 0 AND post_id = ?', id)
      }
      return ids
    },
    remove: (id) => run(shards, 'DELETE FROM feed_index WHERE post_id = ?', id),
  }
}

async function notifications(): Promise<List> {
  const [reader] = await accountsOn(0)
  let last = 1_000_000_000
  return {
    reader,
    path: '/v1/notifications',
    add: async (count) => {
      const actors = await bulkIds(count)
      const rows = actors.map((actor) => ({
        account_id: Number(reader),
        id: ++last,
        kind: 'follow',
        actor_id: Number(actor),
        post_id: null,
        arrived_at: 1,
      }))
      await insertRows(shards[0], 'notifications', rows)
      return rows.map(({ id }) => toId(id))
    },
    remove: (id) => run(shards, 'DELETE FROM notifications WHERE id = ?', id),
  }
}

async function notificationActors(): Promise<List> {
  const [reader] = await accountsOn(0)
  const [first] = await bulkIds(1)
  const head = await insertNotification(reader, first!)
  return {
    reader,
    path: `/v1/notifications/${head}/actors`,
    add: async (count) => {
      const actors = await bulkIds(count)
      for (const actor of actors) await insertNotification(reader, actor)
      return actors
    },
    remove: (actor) => run(shards, 'DELETE FROM notifications WHERE actor_id = ?', actor),
  }
}

async function registrations(): Promise<List> {
  const [reader] = await accountsOn(0)
  return {
    reader,
    role: 'moderator',
    path: '/v1/registrations',
    add: async (count) => {
      const waiting = await bulkAccounts(count)
      const at = { email_verified: 1, sealed_address: '', approval: 'required', created_at: 0, updated_at: 0 }
      const rows = waiting.map(({ id, handle }) => ({ id: Number(id), email: handle, ...at }))
      await insertRows(env.DIRECTORY, 'users', rows)
      return waiting.map(({ id }) => id)
    },
    remove: (id) => run([env.DIRECTORY], 'DELETE FROM users WHERE id = ?', id),
  }
}

/** For each list operation, a function that creates a list. Add new lists here. */
const lists: Record<string, () => Promise<List>> = {
  getHomeFeed: async () => {
    const [reader, author] = await accountsOn(0, 0)
    await seedFollows([[reader, author]])
    return postsBy(author, reader, '/v1/feeds/home')
  },
  getPublicFeed: async () => {
    const [reader, author] = await accountsOn(0, 0)
    return postsBy(author, reader, '/v1/feeds/public')
  },
  getAccountFeed: async () => {
    const [reader, author] = await accountsOn(0, 0)
    return postsBy(author, reader, `/v1/accounts/${author}/posts`)
  },
  listPosts: async () => {
    const [reader, author] = await accountsOn(0, 0)
    return postsBy(author, reader, `/v1/posts?author=${author}`)
  },
  listAudit: () => audit('actor_id'),
  listMyAudit: () => audit('account_id'),
  listConversations: conversations,
  listMessages: messages,
  listMembers: members,
  listJoinRequests: joinRequests,
  listBlocks: blocks,
  listComments: comments,
  listMyComments: ownComments,
  listFollowers: () => follows('followers'),
  listFollowing: () => follows('following'),
  listLikes: () => likes('accounts'),
  listMyLikes: () => likes('posts'),
  listNotifications: notifications,
  listNotificationGroups: async () => ({ ...(await notifications()), path: '/v1/notifications/groups' }),
  listNotificationActors: notificationActors,
  listWebhookDeliveries: webhookDeliveries,
  listRegistrations: registrations,
  searchPosts: () => foundPosts(postsBy, (handle) => `/v1/search/posts?q=from:${handle}`),
  getTagFeed: () => foundPosts(postsBy, (handle) => `/v1/feeds/tags/${handle}`),
}

export async function listOf(operationId: string): Promise<List> {
  const make = lists[operationId]
  if (!make) throw new Error(`Add the list of ${operationId} to test/sweeps/lists.ts`)
  return make()
}
