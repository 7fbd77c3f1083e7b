import { vi } from 'vitest'

/** How long an isolate may use an account status that it has read. */
export const LEASE_MS = 2_000

/** Replaces `Date` in the Worker and its Durable Objects by a clock that runs until it is stopped, and can be advanced. */
export function movableClock(): { advance: (ms: number) => void; stop: () => void } {
  const RealDate = Date
  let offset = 0
  let stoppedAt: number | undefined
  const now = () => (stoppedAt ?? RealDate.now()) + offset
  const ShiftedDate = new Proxy(RealDate, {
    construct: (target, args, newTarget) => Reflect.construct(target, args.length === 0 ? [now()] : args, newTarget),
    get: (target, name) => (name === 'now' ? now : Reflect.get(target, name)),
  })
  vi.stubGlobal('Date', ShiftedDate)
  return {
    advance: (ms) => {
      offset += ms
    },
    stop: () => {
      stoppedAt ??= RealDate.now()
    },
  }
}
