import { introspectWorkflowInstance } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { beforeAll, expect, test, vi } from 'vitest'
import { type Id, isoTimeOf, toId } from '../../../src/platform/data/ids.ts'
import { sealEmail } from '../../../src/services/identity/email.ts'
import { objectKey } from '../../../src/services/media/objects.ts'
import { deleteExpired, resumeOverdue } from '../../../src/services/privacy/export-jobs.ts'
import { requestExport } from '../../../src/services/privacy/exports.ts'
import { type RegisteredUser, registeredUser } from '../../support/actors.ts'
import { shardHolding } from '../../support/databases.ts'
import { filesOf, insertExport, objectsOf, run, statusOf, textOf } from '../../support/exports.ts'
import { type FullPerson, fullPerson } from '../../support/full-person.ts'
import { inventory } from '../../support/inventory.ts'
import { interceptMails } from '../../support/mails.ts'
import { contextWith } from '../../support/platform.ts'
import { until } from '../../support/until.ts'
import { asUser } from '../../support/viewers.ts'
import { unzip } from '../../support/zip.ts'

type Export = { id: string; status: string; expiresAt: string | null; bytes: number | null }

const DAY_MS = 86_400_000
const mails = interceptMails()
let ada: FullPerson
let bob: FullPerson
let archive: Map<string, Uint8Array>
let texts: string

const request = (by: RegisteredUser) => by.fetch('/v1/me/exports', { method: 'POST' })
const list = async (by: RegisteredUser): Promise<Export[]> =>
  (await (await by.fetch('/v1/me/exports')).json<{ items: Export[] }>()).items
const download = (by: RegisteredUser, id: string) => by.fetch(`/v1/me/exports/${id}/file`)

async function ready(by: RegisteredUser): Promise<Export> {
  return vi.waitUntil(async () => (await list(by)).find(({ status }) => status === 'ready'), {
    timeout: 30_000,
    interval: 50,
  })
}

beforeAll(async () => {
  const friend = await registeredUser('the_friend')
  ada = await fullPerson('ada', friend)
  bob = await fullPerson('bob', friend)
  // Being suspended is the one field that a person cannot fill. An export can only run, and not be requested, then.
  expect((await request(ada.user)).status).toBe(202)
  const { id } = await ready(ada.user)
  archive = unzip(new Uint8Array(await (await download(ada.user, id)).arrayBuffer()))
  texts = [...archive].flatMap(([path, bytes]) => (path.startsWith('media/') ? [] : [textOf(bytes)])).join('\n')
}, 120_000)

test('the archive contains every marker of the person and none of another person', () => {
  const shown = texts.replaceAll('&#39;', "'")
  expect(ada.markers.filter((marker) => !shown.includes(marker))).toEqual([])
  const foreign = bob.markers.filter((marker) => shown.includes(marker))
  expect([...foreign, ...['friend reply'].filter((text) => shown.includes(text))]).toEqual([])
})

test('the archive contains the images of the person byte for byte, and the page shows those of posts', async () => {
  const paths = [...archive.keys()].filter((path) => path.startsWith('media/'))
  expect(paths.sort()).toEqual(ada.mediaIds.map((id) => `media/${id}.png`).sort())
  for (const id of ada.mediaIds) {
    const stored = await (await env.MEDIA.get(objectKey(toId(Number(id)), 'image')))!.arrayBuffer()
    expect(archive.get(`media/${id}.png`)).toEqual(new Uint8Array(stored))
  }
  expect(textOf(archive.get('index.html'))).toContain(`<img src="media/${ada.mediaIds[0]}.png" alt="ada alt"`)
  for (const [path, bytes] of archive) if (path.endsWith('.json')) JSON.parse(textOf(bytes))
})

test('the page of the archive describes every file', () => {
  const page = textOf(archive.get('index.html'))
  const files = [...page.matchAll(/<li><a href="([^"]+)">[^<]*<\/a>([^<]*)<\/li>/g)].map(([, path, text]) => [
    path,
    text,
  ])
  expect(files.map(([path]) => path)).toEqual([...archive.keys()].filter((path) => /^[a-z-]+\.json$/.test(path)))
  expect(files.filter(([, text]) => text?.trim() === '')).toEqual([])
})

/** How an export may show the value of a column. */
function shown(value: unknown): string[] {
  const number = Number(value)
  if (!Number.isFinite(number))
    return [JSON.stringify(value).slice(1, -1), JSON.stringify(JSON.parse(asJson(value)), null, 2)]
  const times = number > 1e12 ? [new Date(Math.min(number, 8e15)).toISOString()] : []
  const ids = number > 1e12 ? [isoTimeOf(toId(number))] : []
  return [`"${number}"`, `: ${number}`, ...times, ...ids, ...(number < 2 ? [`: ${number === 1}`] : [])]
}

function asJson(value: unknown): string {
  return /^[[{]/.test(String(value)) ? String(value) : '""'
}

test('the archive shows each column that the inventory lists as exported, of a row that the person owns', async () => {
  const { id } = ada.user
  const shard = shardHolding(id)
  await shard.prepare('UPDATE accounts SET suspended_at = ? WHERE id = ?').bind(Date.now(), Number(id)).run()
  await insertRest(id)
  const place = await insertExport(id)
  await run(place)
  const files = [...(await filesOf(place))].filter(([path]) => !path.startsWith('media/'))
  const text = files
    .map(([, bytes]) => textOf(bytes))
    .join('\n')
    .replace(/\n\s*/g, ' ')
  const problems: string[] = []
  for (const [table, columns] of inventory) {
    const owner = Object.keys(columns).find((name) => columns[name] === 'owner')
    const exported = Object.keys(columns).filter((name) => columns[name] === 'exported' && !isEncrypted(name))
    if (table.includes(' ') || !owner || exported.length === 0) continue
    for (const column of exported) {
      if (table === 'posts' && column === 'media') continue // the images are compared byte for byte
      const rows = await valuesOf(table, column, owner, Number(id))
      if (rows.every((value) => value === '')) problems.push(`the person of this test has no ${table}.${column}`)
      const missing = rows.filter((value) => !shown(value).some((form) => text.includes(form.replace(/\n\s*/g, ' '))))
      if (missing.length > 0) problems.push(`${table}.${column} is not exported: ${missing}`)
    }
  }
  expect(problems).toEqual([])
  expect(['ada_next@example.com', 'ada_last@example.com'].filter((address) => !text.includes(address))).toEqual([])
  await shard.prepare('UPDATE accounts SET suspended_at = NULL WHERE id = ?').bind(Number(id)).run()
})

/** Columns whose decrypted values an export contains. */
const isEncrypted = (column: string) => ['sealed_address', 'sealed_name', 'client'].includes(column)

/** Rows of features that need mails or other modes of registration. Add a row for each new feature of this kind. */
async function insertRest(id: Id): Promise<void> {
  const sealed = (address: string) => sealEmail(contextWith(), id, address)
  const [owner, until] = [Number(id), Date.now() + DAY_MS]
  const run = (query: string, ...values: unknown[]) => env.DIRECTORY.prepare(query).bind(...values)
  await env.DIRECTORY.batch([
    run('UPDATE users SET handle_changed_at = ?, password_changed_at = ? WHERE id = ?', until - 5, until - 6, owner),
    run('UPDATE users SET terms_version = ?, terms_accepted_at = ? WHERE id = ?', 'terms of ada', until - 7, owner),
    run('INSERT INTO invitations VALUES (?, ?, ?, ?, ?, NULL, ?)', 1, 'code', owner, until - 8, until - 9, until - 10),
    run('INSERT INTO former_handles VALUES (?, ?, ?)', 'ada_before', owner, until - 1),
    run('INSERT INTO address_changes VALUES (?, ?, ?, ?)', owner, 'x', await sealed('ada_next@example.com'), until - 2),
    run(
      'INSERT INTO former_addresses VALUES (?, ?, ?, ?, ?)',
      owner,
      'y',
      await sealed('ada_last@example.com'),
      until - 3,
      until - 4,
    ),
  ])
}

async function valuesOf(table: string, column: string, owner: string, id: number): Promise<unknown[]> {
  const own = table === 'blocks' ? 'AND by_me = 1' : table === 'follows' ? 'AND followee_id <> follower_id' : ''
  const found: unknown[] = []
  for (const db of [env.DIRECTORY, env.SHARD_0, env.SHARD_1, env.AUDIT, env.ANALYTICS]) {
    const known = await db.prepare(`SELECT 1 FROM sqlite_master WHERE name = ?`).bind(table).first()
    if (!known) continue
    const query = `SELECT ${column} v FROM "${table}" WHERE cast("${owner}" as integer) = ? ${own} AND ${column} IS NOT NULL`
    const { results } = await db.prepare(query).bind(id).all<{ v: unknown }>()
    found.push(...results.map((row) => row.v))
  }
  return found
}

test('the person gets one mail when the archive is ready', async () => {
  const sent = () => mails.mailsTo(ada.address).filter(({ subject }) => /export is ready/.test(subject))
  await until(() => sent().length > 0)
  expect(sent().map(({ text }) => text)).toEqual([expect.stringContaining('ada_handle')])
})

test('concurrent requests for an export return the same export', async () => {
  const person = await registeredUser()
  // Their events wait in a queue, so that the export does not finish before the last request.
  const made = await Promise.all([1, 2, 3].map(() => requestExport(asUser(person.id))))
  expect(made.map(({ id, status }) => [id, status])).toEqual(Array(3).fill([made[0]!.id, 'preparing']))
  expect(await list(person)).toHaveLength(1)
})

test('a second export within a day is refused, but not after one that failed', async () => {
  const person = await registeredUser()
  await insertExport(person.id, { status: 'failed' })
  expect((await request(person)).status).toBe(202)
  await ready(person)
  const refused = await request(person)
  expect([refused.status, (await refused.json<{ code: string }>()).code]).toEqual([429, 'quota_exceeded'])
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(86_000)
})

test('only the owner downloads an archive, with a fresh login, and only for a day', async () => {
  const [saved] = (await list(ada.user)).filter(({ status }) => status === 'ready')
  expect((await download(bob.user, saved!.id)).status).toBe(404)
  await env.DIRECTORY.prepare('UPDATE sessions SET created_at = 0, confirmed_at = NULL WHERE user_id = ?')
    .bind(Number(ada.user.id))
    .run()
  const stale = await download(ada.user, saved!.id)
  expect((await stale.json<{ code: string }>()).code).toBe('fresh_login_required')
  await env.DIRECTORY.prepare('UPDATE sessions SET created_at = ? WHERE user_id = ?')
    .bind(Date.now(), Number(ada.user.id))
    .run()
  const answer = await download(ada.user, saved!.id)
  expect(answer.headers.get('content-disposition')).toMatch(
    /^attachment; filename="socialconnect-\d{4}-\d\d-\d\d\.zip"$/,
  )
  expect((await answer.arrayBuffer()).byteLength).toBe(saved!.bytes)
  await env.DIRECTORY.prepare('UPDATE exports SET expires_at = ? WHERE id = ?')
    .bind(Date.now() - 1, Number(saved!.id))
    .run()
  expect((await download(ada.user, saved!.id)).status).toBe(404)
})

test('the hourly job deletes the archive of an expired export, and its row after a week', async () => {
  const { id } = await registeredUser()
  const place = await insertExport(id)
  await run(place)
  const ctx = contextWith()
  expect(await objectsOf(place)).toHaveLength(1)
  ctx.now = () => Date.now() + 2 * DAY_MS
  await deleteExpired(ctx)
  expect([await objectsOf(place), await statusOf(place)]).toEqual([[], 'expired'])
  ctx.now = () => Date.now() + 8 * DAY_MS
  await deleteExpired(ctx)
  expect(await statusOf(place)).toBeNull()
})

test('an export whose Workflow was never started is started after an hour, and given up after a day', async () => {
  const { id } = await registeredUser()
  const [lost, old] = [
    await insertExport(id, { at: Date.now() - DAY_MS / 2 }),
    await insertExport(id, { at: Date.now() - 2 * DAY_MS }),
  ]
  await resumeOverdue(contextWith())
  await vi.waitUntil(async () => (await statusOf(lost)) === 'ready', { timeout: 30_000, interval: 50 })
  expect(await statusOf(old)).toBe('failed')
})

test('the hourly job restarts the Workflow of an export that gave up', async () => {
  const { id } = await registeredUser()
  const place = await insertExport(id, { at: Date.now() - DAY_MS / 2 })
  await using instance = await introspectWorkflowInstance(env.EXPORTER, `export-${place.exportId}`)
  await instance.modify(async (modifier) => {
    await modifier.disableRetryDelays()
    await modifier.mockStepError({ name: 'begin' }, new Error('the directory is down'), 6)
  })
  await resumeOverdue(contextWith())
  await instance.waitForStatus('errored')
  await resumeOverdue(contextWith())
  const restarted = await env.EXPORTER.get(`export-${place.exportId}`)
  expect((await restarted.status()).status).not.toBe('errored') // a restarted instance waits before it tries again
  await env.DIRECTORY.prepare('DELETE FROM exports WHERE id = ?').bind(Number(place.exportId)).run()
})
