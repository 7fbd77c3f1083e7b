import { globSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

export type Post = {
  id: number
  author_id: number
  text: string
  entities: string
  root_id: number | null
  parent_id: number | null
}
type Pair = { a: number; b: number }

/** Reads the SQLite files of the local databases while the server runs, without any code of the Worker. */
export class Ledger {
  private readonly databases: DatabaseSync[]

  constructor(stateDir: string) {
    const files = globSync(join(stateDir, 'v3/d1/miniflare-D1DatabaseObject/*.sqlite'))
    this.databases = files
      .filter((file) => !file.endsWith('metadata.sqlite'))
      .map((file) => new DatabaseSync(file, { readOnly: true }))
  }

  close(): void {
    for (const db of this.databases) db.close()
  }

  private having(table: string): DatabaseSync[] {
    return this.databases.filter((db) => db.prepare('select 1 from sqlite_master where name = ?').get(table))
  }

  private rows<T>(table: string, query: string): T[] {
    return this.having(table).flatMap((db) => db.prepare(query).all() as T[])
  }

  handles(): string[] {
    return this.rows<{ handle: string }>('accounts', 'select handle from accounts').map((row) => row.handle)
  }

  /** The number of events that are still in an outbox, plus the number of dead letters. */
  waiting(): number {
    return (
      this.rows('outbox', 'select id from outbox').length +
      this.rows('dead_letters', 'select id from dead_letters').length
    )
  }

  posts(): Post[] {
    return this.rows('posts', 'select id, author_id, text, entities, root_id, parent_id from posts')
  }

  likes(): Pair[] {
    return this.rows('likes', 'select post_id a, account_id b from likes')
  }

  follows(): Pair[] {
    return this.rows('follows', 'select follower_id a, followee_id b from follows')
  }

  notifications(): string[] {
    type Row = { account_id: number; kind: string; actor_id: number; post_id: number | null }
    const rows = this.rows<Row>('notifications', 'select account_id, kind, actor_id, post_id from notifications')
    return rows.map((row) => `${row.account_id} ${row.kind} ${row.actor_id} ${row.post_id}`)
  }

  /** The audited acts, such as `role-changed 1234`. */
  audit(): string[] {
    const rows = this.rows<{ action: string; account_id: number }>(
      'audit_entries',
      'select action, account_id from audit_entries',
    )
    return rows.map((row) => `${row.action} ${row.account_id}`)
  }

  /** For each shard, the posts in its feed index, without comments. */
  indexed(): Set<number>[] {
    return this.having('feed_index').map((db) => new Set(column(db, 'select post_id v from feed_index where lane = 0')))
  }

  publicFeed(): Set<number> {
    return new Set(this.having('public_posts').flatMap((db) => column(db, 'select post_id v from public_posts')))
  }

  threads(): Pair[] {
    return this.rows('thread_index', 'select thread_id a, post_id b from thread_index')
  }

  /** Posts whose like or comment counter differs from the number of rows that it counts. */
  wrongCounts(): unknown[] {
    return this.rows(
      'posts',
      `select id, like_count, comment_count from posts where like_count <> (select count(*) from likes where post_id = posts.id)
       or comment_count <> (select count(*) from thread_index where thread_id = posts.id)`,
    )
  }
}

function column(db: DatabaseSync, query: string): number[] {
  return (db.prepare(query).all() as { v: number }[]).map((row) => row.v)
}
