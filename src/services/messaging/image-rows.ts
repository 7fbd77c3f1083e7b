import { type Id, toId } from '../../platform/data/ids.ts'

export class ImageRows {
  constructor(private readonly sql: SqlStorage) {}

  add(seq: number, mediaIds: readonly Id[]): void {
    for (const id of mediaIds) this.sql.exec('INSERT INTO images VALUES (?, ?)', Number(id), seq)
  }

  messageOf(mediaId: Id): number | null {
    const select = 'SELECT seq FROM images WHERE media_id = ?'
    return this.sql.exec<{ seq: number }>(select, Number(mediaId)).toArray()[0]?.seq ?? null
  }

  release(seq: number): Id[] {
    const release = 'DELETE FROM images WHERE seq = ? RETURNING media_id AS id'
    return this.sql
      .exec<{ id: number }>(release, seq)
      .toArray()
      .map(({ id }) => toId(id))
  }

  erase(authorId: Id): void {
    const written = 'SELECT seq FROM messages WHERE author_id = ?'
    this.sql.exec(`DELETE FROM images WHERE seq IN (${written})`, Number(authorId))
  }
}
