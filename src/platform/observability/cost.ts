/** What a request used of Cloudflare's services. Tests compare it with the budgets in docs/architecture.md. */
export type Cost = {
  trips: number
  rowsRead: number
  rowsWritten: number
  directoryTrips: number
  objectCalls: number
  queueMessages: number
  cacheReads: number
  /** Calls of R2. Last, because metrics store the costs by position. */
  bucketCalls: number
}

export function noCost(): Cost {
  return {
    trips: 0,
    rowsRead: 0,
    rowsWritten: 0,
    directoryTrips: 0,
    objectCalls: 0,
    queueMessages: 0,
    cacheReads: 0,
    bucketCalls: 0,
  }
}
