import { vi } from 'vitest'

/** How long an isolate may use the status of an account that it has read. */
export const LEASE_MS = 2_000

/** Replaces the clock of the Worker and of its objects by one that runs on and can be moved ahead. */
export function movableClock(): { advance: (ms: number) => void } {
  const RealDate = Date
  let offset = 0
  const now = () => RealDate.now() + offset
  const ShiftedDate = new Proxy(RealDate, {
    construct: (target, args, newTarget) => Reflect.construct(target, args.length === 0 ? [now()] : args, newTarget),
    get: (target, name) => (name === 'now' ? now : Reflect.get(target, name)),
  })
  vi.stubGlobal('Date', ShiftedDate)
  return {
    advance: (ms) => {
      offset += ms
    },
  }
}
