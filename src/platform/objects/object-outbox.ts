/** The table of `ObjectOutbox`, for `migrateObject`. */
export const outboxSchema = 'CREATE TABLE outbox (key TEXT PRIMARY KEY, revision INTEGER NOT NULL) WITHOUT ROWID;'

const FIRST_RETRY_MS = 5_000
const LONGEST_RETRY_MS = 45_000
const KEYS_PER_PASS = 200

type Row = { key: string; revision: number }

/**
 * What an object must still tell others, such as databases. A row names what has changed, and `deliver` reads its current
 * state, so changes that follow each other closely cost one delivery. `deliver` must be idempotent.
 */
export class ObjectOutbox {
  private passing: Promise<void> | null = null
  private alarmAt = 0
  private wait = FIRST_RETRY_MS

  constructor(
    private readonly storage: DurableObjectStorage,
    private readonly deliver: (keys: readonly string[]) => Promise<void>,
  ) {}

  /** Call it in the same turn as the change: the change, its row and the alarm then commit together. */
  add(...keys: readonly string[]): void {
    const insert = 'INSERT INTO outbox VALUES (?, 1) ON CONFLICT (key) DO UPDATE SET revision = revision + 1'
    for (const key of keys) this.storage.sql.exec(insert, key)
    if (keys.length > 0 && this.alarmAt <= Date.now()) this.schedule()
  }

  /** Delivers everything that was added before the call. Throws if that fails; the alarm then repeats it. */
  run(): Promise<void> {
    this.passing ??= this.pass()
    return this.passing
  }

  isEmpty(): boolean {
    return this.next().length === 0
  }

  /** For the alarm of the object. Never throws, because the runtime gives up an alarm that fails often. */
  async alarm(onFailure: (error: unknown) => void): Promise<void> {
    this.alarmAt = 0
    if (this.isEmpty()) return
    this.schedule()
    await this.run().catch((error: unknown) => {
      this.wait = Math.min(this.wait * 2, LONGEST_RETRY_MS)
      onFailure(error)
    })
  }

  private async pass(): Promise<void> {
    await Promise.resolve() // so that `passing` is set before it is cleared
    try {
      for (let rows = this.next(); rows.length > 0; rows = this.next()) {
        await this.deliver(rows.map(({ key }) => key))
        const done = 'DELETE FROM outbox WHERE key = ? AND revision = ?'
        for (const { key, revision } of rows) this.storage.sql.exec(done, key, revision)
      }
      this.wait = FIRST_RETRY_MS
    } finally {
      this.passing = null
    }
  }

  private next(): Row[] {
    return this.storage.sql.exec<Row>('SELECT key, revision FROM outbox LIMIT ?', KEYS_PER_PASS).toArray()
  }

  private schedule(): void {
    this.alarmAt = Date.now() + this.wait
    void this.storage.setAlarm(this.alarmAt)
  }
}
