import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseCommand } from '../../scripts/command.ts'
import { type Acts, acknowledgedActs, changeRole, comeAndGo, compareAudit } from './acts.ts'
import { checkMessages } from './check-messages.ts'
import { Ledger, type Post } from './ledger.ts'
import { compareListeners, Listener } from './listeners.ts'
import { converse, countAcknowledged, gather, type Talk } from './messages.ts'
import { meet } from './people.ts'
import { freePort, Server } from './server.ts'
import { type Acknowledged, type Person, write } from './writers.ts'

const { values } = parseCommand({
  command: 'npm run test:crash',
  purpose: `Repeatedly kills the server with SIGKILL while clients write. Then checks the stored rows: no acknowledged write may
be lost, no write may be stored twice, and each stored write must have had every effect exactly once. Sockets that are open
meanwhile must get the frame of every post, or be told to read their feed again. Members of conversations must all see the same
messages in the same order.`,
  options: {
    kills: { type: 'string', default: '10', value: 'NUMBER', help: 'how often the server is killed' },
    writers: {
      type: 'string',
      default: '20',
      value: 'NUMBER',
      help: 'how many clients write, and how many send messages',
    },
    messages: {
      type: 'string',
      default: '0',
      value: 'NUMBER',
      help: 'goes on until so many messages are acknowledged',
    },
  },
  examples: ['', '--kills 2 --writers 10', '--kills 25 --messages 5000'],
})
const DRAIN_DEADLINE_MS = 90_000
const HEARD_DEADLINE_MS = 30_000
const WRITERS = 6

type Findings = Record<string, number>

async function main(): Promise<Findings> {
  const stateDir = mkdtempSync(join(tmpdir(), 'socialconnect-crash-'))
  const server = new Server(await freePort(), stateDir, {
    REQUESTS_PER_MINUTE: '1000000',
    POSTS_PER_DAY: '1000000000',
  })
  try {
    await server.start()
    const ledger = new Ledger(stateDir)
    const people = await meet(server.origin, stateDir, () => ledger.handles())
    const toldBefore = new Set(ledger.notifications())
    const acts: Acts = new Map()
    let over = false
    const listeners = people.slice(0, WRITERS).map((person) => new Listener(server.origin, person))
    const listening = listeners.map((listener) => listener.listen(() => over))
    const talks = await gather(server.origin, people.slice(0, WRITERS))
    const done = await writeThroughKills(server, people, acts, talks)
    const drainedAfterMs = await drain(ledger)
    const dueTo = duePosts(ledger, done)
    const heard = await hear(listeners, dueTo)
    over = true
    await Promise.all(listening)
    const messages = await checkMessages(server.origin, talks)
    const stored = { ...compare(ledger, done, toldBefore), ...compareAudit(ledger, acts, stateDir) }
    const findings = { ...stored, ...heard, ...messages }
    ledger.close()
    report(done, acts, drainedAfterMs, findings)
    reportListeners(listeners, dueTo)
    process.stdout.write(`${talks.length} conversations: ${countAcknowledged(talks)} messages acknowledged\n`)
    return findings
  } finally {
    await server.kill()
    rmSync(stateDir, { recursive: true, force: true })
  }
}

/** Half of the people write posts, the others log in and out or change roles. The last one is an admin. */
async function writeThroughKills(server: Server, people: Person[], acts: Acts, talks: Talk[]): Promise<Acknowledged> {
  const done: Acknowledged = { posts: new Map(), likes: new Set(), retries: 0 }
  let over = false
  const [writers, others, admin] = [people.slice(0, WRITERS), people.slice(WRITERS, -1), people.at(-1)!]
  const clients = Array.from({ length: Number(values.writers) }, (_, i) =>
    write(server.origin, writers, `client ${i}`, done, () => over),
  )
  for (let n = 0; n < Number(values.writers); n++) {
    clients.push(converse(server.origin, talks, `speaker ${n}`, () => over))
  }
  for (const [i, person] of others.entries()) {
    if (i % 2 === 0) clients.push(comeAndGo(server.origin, person, acts, () => over))
    else clients.push(changeRole(server.origin, admin, person, acts, () => over))
  }
  for (let kill = 1; kill <= Number(values.kills); kill++) {
    await sleep(1_000 + Math.random() * 2_000)
    await server.kill()
    await server.start()
    process.stdout.write(`kill ${kill}: ${done.posts.size + done.likes.size} writes acknowledged so far\n`)
  }
  await sleep(2_000)
  while (countAcknowledged(talks) < Number(values.messages)) await sleep(100)
  over = true
  await Promise.all(clients)
  return done
}

async function drain(ledger: Ledger): Promise<number> {
  const started = Date.now()
  while (ledger.waiting() > 0) {
    if (Date.now() - started > DRAIN_DEADLINE_MS) throw new Error(`${ledger.waiting()} events are unprocessed`)
    await sleep(100)
  }
  return Date.now() - started
}

/** The acknowledged posts without comments, for each account that follows their author. Accounts follow themselves. */
function duePosts(ledger: Ledger, done: Acknowledged): (listener: Listener) => string[] {
  const roots = ledger.posts().filter((post) => post.root_id === null && done.posts.has(String(post.id)))
  const follows = new Set(ledger.follows().map(({ a, b }) => `${a} ${b}`))
  return ({ person }) =>
    roots.filter((post) => follows.has(`${person.id} ${post.author_id}`)).map((post) => String(post.id))
}

/** Waits until each listener knows what it should, at most half a minute. */
async function hear(listeners: Listener[], dueTo: (listener: Listener) => string[]): Promise<Findings> {
  const deadline = Date.now() + HEARD_DEADLINE_MS
  for (;;) {
    const findings = compareListeners(listeners, dueTo)
    if (Date.now() > deadline || Object.values(findings).every((n) => n === 0)) return findings
    await sleep(100)
  }
}

/** The numbers of lost, duplicated, missing and unexplained rows and of wrong counters. All should be 0. */
function compare(ledger: Ledger, done: Acknowledged, toldBefore: Set<string>): Findings {
  const posts = new Map(ledger.posts().map((post) => [String(post.id), post]))
  const texts = [...posts.values()].map((post) => post.text)
  const likes = new Set(ledger.likes().map(({ a, b }) => `${a} ${b}`))
  const roots = [...posts.values()].filter((post) => post.root_id === null).map((post) => post.id)
  const threads = new Set(ledger.threads().map(({ a, b }) => `${a} ${b}`))
  const inThreads = [...posts.values()].flatMap(({ id, root_id, parent_id }) =>
    [...new Set([root_id, parent_id])].flatMap((thread) => (thread === null ? [] : [`${thread} ${id}`])),
  )
  const told = ledger.notifications().filter((line) => !toldBefore.has(line))
  const expected = expectedNotifications(posts, likes)
  return {
    'acknowledged posts lost': [...done.posts].filter(([id, text]) => posts.get(id)?.text !== text).length,
    'posts duplicated': texts.length - new Set(texts).size,
    'acknowledged likes lost': [...done.likes].filter((like) => !likes.has(like)).length,
    'posts missing from a feed index': ledger.indexed().reduce((sum, index) => sum + missing(roots, index), 0),
    'posts missing from the public feed': missing(roots, ledger.publicFeed()),
    'comments missing from a thread': missing(inThreads, threads),
    'counters that are wrong': ledger.wrongCounts().length,
    'notifications missing': missing(expected, new Set(told)),
    'notifications duplicated': told.length - new Set(told).size,
    'notifications without a cause': missing(told, new Set(expected)),
  }
}

const missing = <T>(wanted: Iterable<T>, present: ReadonlySet<T>) => [...wanted].filter((it) => !present.has(it)).length

function expectedNotifications(posts: Map<string, Post>, likes: Set<string>): string[] {
  const expected: string[] = []
  for (const post of posts.values()) {
    const parentAuthor = post.parent_id === null ? undefined : posts.get(String(post.parent_id))!.author_id
    const entities = JSON.parse(post.entities) as { kind: string; accountId: string }[]
    const mentioned = entities.filter((entity) => entity.kind === 'mention').map((entity) => Number(entity.accountId))
    if (parentAuthor !== undefined) expected.push(`${parentAuthor} comment ${post.author_id} ${post.id}`)
    for (const account of mentioned) {
      if (account !== parentAuthor) expected.push(`${account} mention ${post.author_id} ${post.id}`)
    }
  }
  for (const like of likes) {
    const [postId, actor] = like.split(' ')
    expected.push(`${posts.get(postId!)!.author_id} like ${actor} ${postId}`)
  }
  return expected.filter((line) => line.split(' ')[0] !== line.split(' ')[2])
}

function report(done: Acknowledged, acts: Acts, drainedAfterMs: number, findings: Findings): void {
  const lines = Object.entries(findings).map(([what, n]) => `  ${n === 0 ? 'ok  ' : 'FAIL'} ${n} ${what}`)
  process.stdout.write(
    `${values.kills} kills, ${done.posts.size} posts, ${done.likes.size} likes and ${acknowledgedActs(acts)} audited acts acknowledged, ${done.retries} retries; ` +
      `outboxes empty ${drainedAfterMs} ms after the last write\n${lines.join('\n')}\n`,
  )
}

function reportListeners(listeners: Listener[], dueTo: (listener: Listener) => string[]): void {
  const sum = (count: (listener: Listener) => number) => listeners.reduce((total, each) => total + count(each), 0)
  const [due, resumed] = [sum((each) => dueTo(each).length), sum(({ hellos }) => hellos.resumed)]
  process.stdout.write(
    `${listeners.length} listeners: ${due} frames due, ${resumed} sockets resumed, ${sum(({ hellos }) => hellos.refetched)} told to read the feed\n`,
  )
}

const findings = await main()
if (Object.values(findings).some((n) => n > 0)) process.exitCode = 1
