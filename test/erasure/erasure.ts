import { copyFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseEnv } from 'node:util'
import { parseCommand } from '../../scripts/command.ts'
import { withDatabases } from '../../scripts/databases.ts'
import { fetchInTime } from '../../scripts/fetch-in-time.ts'
import { cryptoConfig } from '../../scripts/keyring.ts'
import { isDue } from '../../src/platform/events/jobs.ts'
import { openFor } from '../../src/platform/security/account-keys.ts'
import { freePort, Server } from '../crash/server.ts'
import { exportThroughKills } from './exporting.ts'
import { type Person, Planting } from './planting.ts'
import { compact, databaseWith, filesIn, readableIn, withDatabase } from './scan.ts'

const { values } = parseCommand({
  command: 'npm run test:erasure',
  purpose: `Makes everything that a person can make, with a marker in each text, exports the data and deletes the account, and kills the
server with SIGKILL while it exports and erases. Then searches all files of the local state for the markers, and
restores the directory of before.`,
  options: {
    kills: {
      type: 'string',
      default: '10',
      value: 'NUMBER',
      help: 'how often the server is killed while it erases; at most 3 times while it exports',
    },
  },
  examples: ['', '--kills 1'],
})

const DEADLINE_MS = 120_000
const FRIENDS = 5
/** Secrets, and smaller copies of images that are exported. */
const UNEXPORTED = /^(thumbnail|idempotency key|the refresh token|the API key|the secret of codes)/

/** The traces of requests contain their paths, but no queries and bodies. The platform keeps them for days. */
const isTraceOfPath = ([name, file]: [string, string]) => /in a path$/.test(name) && file.includes('/observability/')

type Findings = Record<string, { found: number | string; expected: number | string }>

class Proof {
  readonly folder = mkdtempSync(join(tmpdir(), 'socialconnect-erasure-'))
  readonly stateDir = join(this.folder, 'state')
  readonly server: Server
  kills = 0

  constructor(port: number) {
    this.server = new Server(port, this.stateDir, { REQUESTS_PER_MINUTE: '1000000', POSTS_PER_DAY: '1000000' })
  }

  private inDirectory<T>(query: string, ...values: number[]): T[] {
    return withDatabase(databaseWith(this.stateDir, 'deletions'), (db) => db.prepare(query).all(...values) as T[])
  }

  /** The number of events that are in an outbox, plus the number of dead letters. */
  private waiting(): number {
    const files = filesIn(join(this.stateDir, 'v3/d1')).filter((file) => /[0-9a-f]{64}\.sqlite$/.test(file))
    const counts = files.map((file) =>
      withDatabase(file, (db) => {
        const has = db.prepare("select 1 from sqlite_master where name = 'outbox'").get()
        const count = 'select (select count(*) from outbox) + (select count(*) from dead_letters) n'
        return has ? (db.prepare(count).get() as { n: number }).n : 0
      }),
    )
    return counts.reduce((sum, n) => sum + n, 0)
  }

  async until(what: string, isReached: () => boolean): Promise<void> {
    for (const until = Date.now() + DEADLINE_MS; !isReached(); await sleep(10)) {
      if (Date.now() > until) throw new Error(`${what} took more than ${DEADLINE_MS / 1_000} s`)
    }
  }

  drained = () => this.until('handling all events', () => this.waiting() === 0)

  /** Runs the jobs that are due at `time`, by default those of every minute. */
  async runJobs(time = Date.now()): Promise<void> {
    await fetchInTime(`${this.server.origin}/cdn-cgi/local/scheduled?time=${time}`)
  }

  runJobOfHour = (name: string) => this.runJobs(dueTime(name))

  /** Makes the job start all erasures at once, without the ten minutes that it waits for a stalled one. */
  async startErasures(): Promise<void> {
    this.inDirectory('update deletions set progressed_at = 0 returning account_id')
    await this.runJobs()
  }

  private hasProgress = () => this.inDirectory('select 1 from deletions where progressed_at > 0').length > 0

  isErased = () => this.inDirectory('select account_id from deletions').length === 0

  async eraseThroughKills(accountId: number): Promise<void> {
    this.inDirectory('update deletions set erase_at = 1 where account_id = ? returning account_id', accountId)
    while (this.kills < Number(values.kills) && !this.isErased()) {
      const started = this.startErasures().catch(() => {}) // the kill may interrupt the job too
      await this.until('a step', () => this.isErased() || this.hasProgress())
      await sleep(Math.random() * 100)
      await this.server.kill()
      await started
      if (!this.isErased()) this.kills += 1
      await this.server.start()
    }
    await this.startErasures()
    await this.until('the erasure', this.isErased)
    await this.drained()
  }

  /** Copies the directory as a backup would, and returns the encrypted address of the person. */
  backUp({ id }: Person): { file: string; sealed: string } {
    const file = join(this.folder, 'directory.sqlite')
    const [user] = this.inDirectory<{ sealed_address: string }>(
      'select sealed_address from users where id = ?',
      Number(id),
    )
    withDatabase(databaseWith(this.stateDir, 'deletions'), (db) => db.exec(`VACUUM INTO '${file}'`))
    return { file, sealed: user!.sealed_address }
  }

  restore(file: string): void {
    const target = databaseWith(this.stateDir, 'deletions')
    for (const log of [`${target}-wal`, `${target}-shm`]) rmSync(log, { force: true })
    copyFileSync(file, target)
  }

  users = ({ id }: Person) => this.inDirectory('select id from users where id = ?', Number(id)).length

  /** Decrypts an address as the Worker does, with the keys in the local state. */
  async decrypted({ id }: Person, sealed: string): Promise<string | null> {
    const { DATA_KEYS } = parseEnv(readFileSync('.dev.vars', 'utf8'))
    const config = cryptoConfig({ DATA_KEYS })
    return withDatabases(this.stateDir, (_, { KEYS }) =>
      openFor({ env: { KEYS }, config } as never, id as never, sealed, 'email'),
    )
  }
}

async function main(): Promise<Findings> {
  const proof = new Proof(await freePort())
  const { server, stateDir } = proof
  try {
    await server.start()
    const planting = new Planting(server.origin)
    const person = await planting.person()
    const friends: Person[] = []
    for (let n = 0; n < FRIENDS; n++) {
      const handle = `friend_${n}`
      friends.push(await planting.register(handle, `${handle}@example.com`, {}))
    }
    await planting.logIns(person)
    await planting.everything(person, friends)
    await proof.drained()
    const exported = await exportThroughKills(proof, planting, person, Math.min(3, Number(values.kills)))
    await proof.drained()
    const { markers } = planting
    const missing = markers.filter(
      ({ name, bytes }) => !UNEXPORTED.test(name) && !exported.text.includes(bytes.toString('latin1')),
    )
    for (const { name } of missing) process.stdout.write(`  missing in the export: ${name}\n`)
    const planted = readableIn(stateDir, markers)
    const backup = proof.backUp(person)
    const addressBefore = await proof.decrypted(person, backup.sealed)

    await planting.call('/me', person, { method: 'DELETE' })
    await proof.eraseThroughKills(Number(person.id))
    const friendsAfter = await Promise.all(
      friends.map((friend) => planting.call<Record<string, number>>(`/accounts/${friend.id}`, null, { method: 'GET' })),
    )
    const counts = friendsAfter.map(({ followerCount, followingCount }) => followerCount! + followingCount!)
    await server.kill()
    const uncompacted = readableIn(stateDir, markers)
    compact(stateDir)
    const traced = [...readableIn(stateDir, markers)]
    const readable = new Map(traced.filter((found) => !isTraceOfPath(found)))
    const files = filesIn(stateDir).length
    process.stdout.write(
      `${markers.length} markers, ${planted.size} of them readable before; ${exported.kills} kills of the export, ${proof.kills} of the erasure; ${uncompacted.size} readable in free pages ` +
        `of SQLite, ${readable.size} readable in ${files} files after VACUUM\n`,
    )
    for (const [name, file] of readable) process.stdout.write(`  readable: ${name} in ${file}\n`)

    proof.restore(backup.file)
    const addressAfter = await proof.decrypted(person, backup.sealed)
    const restored = proof.users(person)
    await server.start()
    await proof.runJobOfHour('erase again what a restore brought back')
    await proof.startErasures()
    await proof.until('the second erasure', () => proof.isErased() && proof.users(person) === 0)
    return {
      'markers planted': { found: markers.length >= 100 ? 'enough' : markers.length, expected: 'enough' },
      'kills before the export was ready': { found: exported.kills > 0 ? 'some' : 'none', expected: 'some' },
      'markers missing in the export': { found: missing.length, expected: 0 },
      'kills before the erasure ended': { found: proof.kills, expected: Number(values.kills) },
      'markers readable before': { found: planted.size >= 70 ? 'enough' : planted.size, expected: 'enough' },
      'markers readable after': { found: readable.size, expected: 0 },
      'follows of others left in counts': { found: counts.reduce((sum, n) => sum + n), expected: 0 },
      'address that the backup had': {
        found: addressBefore?.includes('zq') ? 'readable' : 'lost',
        expected: 'readable',
      },
      'address in the restored directory': { found: addressAfter ?? 'unreadable', expected: 'unreadable' },
      'users that the restore brought back': { found: restored, expected: 1 },
      'users left after the job': { found: proof.users(person), expected: 0 },
    }
  } finally {
    await server.kill()
    rmSync(proof.folder, { recursive: true, force: true })
  }
}

/** A time at which the hourly job is due. */
function dueTime(name: string): number {
  for (let time = Math.floor(Date.now() / 60_000) * 60_000; ; time += 60_000) {
    if (isDue({ name, every: 'hour' }, new Date(time))) return time
  }
}

const findings = Object.entries(await main())
const wrong = findings.filter(([, { found, expected }]) => found !== expected)
process.stdout.write(
  findings
    .map(([what, { found, expected }]) => `  ${found === expected ? 'ok  ' : 'FAIL'} ${what}: ${found}\n`)
    .join(''),
)
if (wrong.length > 0) process.exitCode = 1
