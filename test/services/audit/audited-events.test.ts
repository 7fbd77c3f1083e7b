import { expect, test } from 'vitest'
import document from '../../../docs/audit.md?raw'
import { events, subscriptions } from '../../../src/registry.ts'
import { auditedEvents } from '../../../src/services/audit/audited-events.ts'

test('docs/audit.md lists exactly the audited events, with their actions', () => {
  const rows = [...document.matchAll(/^\| `([\w-]+)` \| `([\w.-]+)` \|/gm)].map(
    ([, action, type]) => `${action} ${type}`,
  )
  expect(rows.sort()).toEqual(auditedEvents.map(({ action, event }) => `${action} ${event.type}`).sort())
})

test('docs/audit.md lists exactly the details that entries show', () => {
  const [, section = ''] = document.split('## Details')
  const listed = [...section.matchAll(/^- (.*?):/gm)].flatMap(([, names = '']) => names.replaceAll('`', '').split(', '))
  expect(listed.sort()).toEqual([...new Set(auditedEvents.flatMap(({ details }) => details))].sort())
})

test('every audited event is declared by a service and has one subscription named audit', () => {
  const audits = subscriptions.filter(({ name }) => name === 'audit').map(({ event }) => event?.type)
  expect(audits.sort()).toEqual(auditedEvents.map(({ event }) => event.type).sort())
  expect(new Set(audits).size).toBe(audits.length)
  for (const type of audits) expect(events.map((event) => event.type)).toContain(type)
})

test('no two events have the same action', () => {
  expect(new Set(auditedEvents.map(({ action }) => action)).size).toBe(auditedEvents.length)
})
