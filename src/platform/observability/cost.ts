/** What a request used of the platform; tests assert the budgets of docs/architecture.md on it. */
export type Cost = {
  trips: number
  rowsRead: number
  rowsWritten: number
  directoryTrips: number
  objectCalls: number
  queueMessages: number
  cacheReads: number
}

export function noCost(): Cost {
  return { trips: 0, rowsRead: 0, rowsWritten: 0, directoryTrips: 0, objectCalls: 0, queueMessages: 0, cacheReads: 0 }
}
