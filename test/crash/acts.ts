import { spawnSync } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { fetchInTime } from '../../scripts/fetch-in-time.ts'
import { PASSWORD } from '../../scripts/seed/logins.ts'
import { auditedEvents } from '../../src/services/audit/audited-events.ts'
import type { Ledger } from './ledger.ts'
import { randomAddress } from './people.ts'
import type { Person } from './writers.ts'

/** How often each audited act, such as `role-changed 1234`, was acknowledged, and how often it may have happened. */
export type Acts = Map<string, { acknowledged: number; tried: number }>

type Call = { method: string; path: string; token?: string; body?: object }

/** Sends a request once. Returns null unless it is acknowledged: then it may have happened or not. */
async function attempt(origin: string, acts: Acts, act: string, { method, path, token, body }: Call): Promise<unknown> {
  const tally = acts.get(act) ?? { acknowledged: 0, tried: 0 }
  acts.set(act, tally)
  tally.tried += 1
  const headers = {
    'content-type': 'application/json',
    'cf-connecting-ip': randomAddress(),
    ...(token && { authorization: `Bearer ${token}` }),
  }
  const request = { method, headers, body: body && JSON.stringify(body) }
  const answer = await fetchInTime(`${origin}${path}`, request).catch(() => null)
  if (!answer || answer.status >= 500) {
    await sleep(100)
    return null
  }
  const text = await answer.text().catch(() => null)
  if (text === null) return null
  if (!answer.ok) throw new Error(`${method} ${path} failed with ${answer.status}: ${text}`)
  tally.acknowledged += 1
  return text === '' ? {} : JSON.parse(text)
}

/** Logs in and out without pause. */
export async function comeAndGo(origin: string, { id, handle }: Person, acts: Acts, stopped: () => boolean) {
  while (!stopped()) {
    const body = { identifier: handle, password: PASSWORD }
    const login = await attempt(origin, acts, `logged-in ${id}`, { method: 'POST', path: '/v1/auth/login', body })
    const token = (login as { accessToken: string } | null)?.accessToken
    if (token) await attempt(origin, acts, `session-ended ${id}`, { method: 'POST', path: '/v1/auth/logout', token })
  }
}

/** Changes the role of a person without pause. */
export async function changeRole(origin: string, admin: Person, { id }: Person, acts: Acts, stopped: () => boolean) {
  for (let n = 0; !stopped(); n++) {
    const body = { role: n % 2 === 0 ? 'moderator' : 'user' }
    const call = { method: 'PUT', path: `/v1/accounts/${id}/role`, token: admin.token, body }
    await attempt(origin, acts, `role-changed ${id}`, call)
  }
}

/** How the audit log differs from what was acknowledged. All numbers should be 0. */
export function compareAudit(ledger: Ledger, acts: Acts, stateDir: string): Record<string, number> {
  const names = new Set(auditedEvents.map(({ action }) => action))
  const audited = [...acts].filter(([act]) => names.has(act.split(' ')[0]!))
  const entries = Map.groupBy(ledger.audit(), (act) => act)
  const sum = (excess: (act: string, tally: { acknowledged: number; tried: number }) => number) =>
    audited.reduce((total, [act, tally]) => total + Math.max(0, excess(act, tally)), 0)
  const written = (act: string) => entries.get(act)?.length ?? 0
  const { status } = spawnSync(process.execPath, ['scripts/audit-verify.ts', '--persist-to', stateDir])
  return {
    'acknowledged acts missing from the audit log': sum((act, { acknowledged }) => acknowledged - written(act)),
    'audit entries without an act': sum((act, { tried }) => written(act) - tried),
    'failed checks of the audit log': status === 0 ? 0 : 1,
  }
}

export function acknowledgedActs(acts: Acts): number {
  return [...acts.values()].reduce((sum, { acknowledged }) => sum + acknowledged, 0)
}
