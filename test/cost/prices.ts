/** Prices of Cloudflare on 2026-11-30 in dollars per million, without what the plan includes. */
const PER_MILLION = {
  requests: 0.3,
  cpuMs: 0.02,
  d1RowsRead: 0.001,
  d1RowsWritten: 1,
  objectRequests: 0.15,
  objectRowsRead: 0.001,
  objectRowsWritten: 1,
  queueOperations: 0.4,
  kvReads: 0.5,
  kvWrites: 5,
  r2Reads: 0.36,
  r2Writes: 4.5,
} as const

/** A message is written, read and deleted. */
const OPERATIONS_PER_MESSAGE = 3

/** What each counter of `test/bench/meter.ts` costs, and the line of the bill that it belongs to. */
const tariffs: [RegExp, string, number][] = [
  [/^requests$/, 'requests', PER_MILLION.requests],
  [/^batches$/, 'queue batches, as requests', PER_MILLION.requests],
  [/^cpuMs$/, 'CPU time', PER_MILLION.cpuMs],
  [/^D1\.rowsRead$/, 'D1 rows read', PER_MILLION.d1RowsRead],
  [/^D1\.rowsWritten$/, 'D1 rows written', PER_MILLION.d1RowsWritten],
  [/\.calls$/, 'calls of objects', PER_MILLION.objectRequests],
  [/\.alarms$/, 'alarms of objects', PER_MILLION.objectRequests],
  [/^Queues\.messages$/, 'queue messages', PER_MILLION.queueOperations * OPERATIONS_PER_MESSAGE],
  [/^KV\.reads$/, 'KV reads', PER_MILLION.kvReads],
  [/^KV\.writes$/, 'KV writes', PER_MILLION.kvWrites],
  [/^R2\.reads$/, 'R2 reads', PER_MILLION.r2Reads],
  [/^R2\.writes$/, 'R2 writes', PER_MILLION.r2Writes],
  [/\.rowsRead$/, 'rows read by objects', PER_MILLION.objectRowsRead],
  [/^Hub\.rowsWritten$/, 'rows written by hubs', PER_MILLION.objectRowsWritten],
  [/\.rowsWritten$/, 'rows written by other objects', PER_MILLION.objectRowsWritten],
]

/** The line of the bill and the dollars for `count` of what a counter counts; null if it is free. */
export function priceOf(counter: string, count: number): { line: string; dollars: number } | null {
  const tariff = tariffs.find(([pattern]) => pattern.test(counter))
  return tariff ? { line: tariff[1], dollars: (count * tariff[2]) / 1e6 } : null
}
