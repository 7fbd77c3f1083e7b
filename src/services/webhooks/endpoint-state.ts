import type { SystemCtx } from '../../platform/context.ts'
import { createContext } from '../../platform/create-context.ts'
import { atPrimary } from '../../platform/data/databases.ts'
import { DAY_MS } from '../../platform/data/expiry.ts'
import { type Id, toId } from '../../platform/data/ids.ts'
import { type Due, EndpointRows, type Head } from './endpoint-rows.ts'
import type { DeliveryFacts, Owner, PageOf, StoredDelivery } from './facts.ts'
import { Body, type Message } from './messages.ts'
import { delayAfter, isOpen, restAfter } from './schedule.ts'
import { openSealed } from './sealed.ts'
import { isSuccess, type Outcome, sendMessage } from './sending.ts'
import { stopEndpoint } from './stopping.ts'
import { readEndpoint, type Telling } from './visibility.ts'

const CONCURRENT = 4
const PER_MINUTE = 300
/** How long one alarm sends. If it is interrupted, the alarm of `SAFETY_MS` goes on. */
const PASS_MS = 30_000
const SAFETY_MS = 60_000
const MINUTE_MS = 60_000
/** An endpoint that has only failed for so long, or with so many deliveries, is paused. */
const FAILING_MS = 5 * DAY_MS
/** Longer than the longest delay, so that a pause between two failures is not time in which it failed. */
const QUIET_MS = 2 * DAY_MS
const MAX_EXHAUSTED = 20
/** A longer answer of an attempt that will be repeated is not worth its place. */
const MAX_INTERIM_ANSWER = 4_096

type Round = { endpoint: { url: string; secrets: readonly string[] }; due: readonly Due[] }

/** What the object does. Its alarm sends, at most a few deliveries at a time. The shard of the owner says whether and where to. */
export class EndpointState {
  private readonly rows: EndpointRows
  private isPassing = false

  constructor(
    private readonly object: DurableObjectState,
    private readonly env: Env,
  ) {
    this.rows = new EndpointRows(object.storage)
  }

  accept(owner: Owner, messages: readonly Message[]): void {
    this.rows.create(owner)
    this.rows.add(messages, Date.now())
    this.arm()
  }

  page(wanted: PageOf): StoredDelivery[] {
    return this.rows.page(wanted)
  }

  read(id: Id): DeliveryFacts | null {
    const delivery = this.rows.delivery(id)
    return delivery && { ...delivery, all: this.rows.attemptsOf(id) }
  }

  replay(from: number, before: number): number {
    const count = this.rows.replay(from, before, Date.now())
    this.arm()
    return count
  }

  wake(): void {
    this.forget()
    const head = this.rows.head()
    if (head) this.rows.update({ ...head, heldUntil: 0 })
    this.rows.hurry(Date.now())
    this.arm()
  }

  /** Never throws, because the runtime gives up an alarm that fails often. */
  async alarm(): Promise<'deleted' | 'kept'> {
    const ctx = this.context()
    this.isPassing = true
    await this.object.storage.setAlarm(ctx.now() + SAFETY_MS)
    try {
      const outcome = await this.pass(ctx)
      if (outcome === 'deleted') return outcome
      this.rows.prune(ctx.now())
      this.isPassing = false
      this.arm(outcome === 'idle')
    } catch (error) {
      ctx.log.warn('a pass over the deliveries of a webhook failed', { error })
    } finally {
      this.isPassing = false
    }
    return 'kept'
  }

  private async pass(ctx: SystemCtx): Promise<'deleted' | 'idle' | 'more'> {
    const head = this.rows.head()
    if (!head) return 'deleted'
    const until = ctx.now() + PASS_MS
    for (;;) {
      const due = this.rows.due(ctx.now(), this.width(ctx.now()))
      const round = await this.prepare(ctx, head, due)
      if (typeof round === 'string') return round
      await Promise.all(round.due.map((delivery) => this.send(ctx, round, delivery)))
      if (due.length === 0 || ctx.now() >= until) return 'more'
    }
  }

  /** Reads where to send, and drops what the owner may no longer know. */
  private async prepare(ctx: SystemCtx, head: Head, due: readonly Due[]): Promise<Round | 'deleted' | 'idle'> {
    const owner = { webhookId: toId(head.id), accountId: toId(head.accountId) }
    const stop = this.rows.head()?.stop
    if (stop) await stopEndpoint(ctx, owner, stop)
    const tellings = due.flatMap(tellingOf)
    const read = await readEndpoint({ ...ctx, db: atPrimary(ctx) }, owner, tellings)
    if (!read) return 'deleted'
    const { endpoint, visible } = read
    if (endpoint.state !== 'active') {
      this.forget()
      return 'idle'
    }
    const former = endpoint.formerSecrets.filter(({ until }) => until > ctx.now()).map(({ sealed }) => sealed)
    const sealed = [endpoint.url, endpoint.sealedSecret, ...former]
    const [url = null, ...opened] = await openSealed(ctx, owner.accountId, sealed)
    const secrets = opened.filter((secret) => secret !== null)
    if (url === null || secrets.length === 0) return 'deleted'
    const isVisible = ({ id }: Due) => visible.has(toId(id))
    for (const delivery of due) {
      if (isVisible(delivery)) this.rows.show(delivery.id)
      else this.rows.drop(delivery, ctx.now())
    }
    return { endpoint: { url, secrets }, due: due.filter(isVisible) }
  }

  private async send(ctx: SystemCtx, { endpoint }: Round, delivery: Due): Promise<void> {
    this.count(ctx.now())
    const outcome = await sendMessage(ctx, endpoint, delivery)
    if (isSuccess(outcome)) {
      this.rows.settle(delivery.id, { state: 'delivered', attempts: delivery.attempts + 1, nextAt: null }, outcome)
      if (this.rows.head()?.stop !== 'gone') this.forget()
    } else this.fail(delivery, outcome)
  }

  /** An answer with 429 is none of the ten attempts: the endpoint works, and says when it has room again. */
  private fail(delivery: Due, outcome: Outcome): void {
    const { at, durationMs, retryAfterMs, status } = outcome
    const isLimited = status === 429
    const attempts = delivery.attempts + (isLimited ? 0 : 1)
    const delay = delayAfter(Math.max(attempts, 1))
    const end = at + durationMs
    const nextAt = delay === null ? null : end + Math.max(delay, retryAfterMs)
    const answer = (nextAt === null ? outcome.answer : outcome.answer?.slice(0, MAX_INTERIM_ANSWER)) ?? null
    this.rows.settle(
      delivery.id,
      { state: nextAt === null ? 'failed' : 'waiting', attempts, nextAt },
      { ...outcome, answer },
    )
    const head = this.rows.head()
    if (!head) return
    const failures = head.failures + 1
    const exhausted = head.exhausted + (nextAt === null ? 1 : 0)
    const isNew = head.failingSince === null || head.failedAt < at - QUIET_MS
    const failingSince = isNew ? at : head.failingSince
    const isFailing = (failingSince ?? at) <= end - FAILING_MS || exhausted >= MAX_EXHAUSTED
    const held = isLimited || status === 503 ? end + retryAfterMs : 0
    this.rows.update({
      ...head,
      failures,
      exhausted,
      failingSince,
      failedAt: end,
      restsUntil: Math.max(head.restsUntil, end + restAfter(failures)),
      heldUntil: Math.max(head.heldUntil, held),
      stop: status === 410 ? 'gone' : isFailing ? 'failing' : head.stop,
    })
  }

  /** Forgets the failures. What the endpoint has asked for by `Retry-After` still holds. */
  private forget(): void {
    const head = this.rows.head()
    if (head && (head.failures > 0 || head.restsUntil > 0 || head.stop))
      this.rows.update({ ...head, failures: 0, exhausted: 0, failingSince: null, restsUntil: 0, stop: null })
  }

  private count(now: number): void {
    const head = this.rows.head()
    const minute = Math.floor(now / MINUTE_MS)
    if (head) this.rows.update({ ...head, minute, sent: head.minute === minute ? head.sent + 1 : 1 })
  }

  /** How many deliveries may be sent at once now. */
  private width(now: number): number {
    const head = this.rows.head()
    if (!head || head.stop || Math.max(head.restsUntil, head.heldUntil) > now) return 0
    const sent = head.minute === Math.floor(now / MINUTE_MS) ? head.sent : 0
    return Math.min(isOpen(head.failures) ? 1 : CONCURRENT, Math.max(0, PER_MINUTE - sent))
  }

  /** Sets the alarm for the next delivery that may be sent, or the next one that expires. */
  private arm(isIdle = false): void {
    if (this.isPassing) return
    const head = this.rows.head()
    const times = [this.rows.expiresAt(), head && !isIdle ? this.sendsAt(head) : null].filter((time) => time !== null)
    if (times.length === 0) void this.object.storage.deleteAlarm()
    else void this.object.storage.setAlarm(Math.max(Math.min(...times), Date.now()))
  }

  private sendsAt({ stop, sent, minute, restsUntil, heldUntil }: Head): number | null {
    if (stop) return 0
    const next = this.rows.nextAt()
    const freeAt = sent >= PER_MINUTE ? (minute + 1) * MINUTE_MS : 0
    return next === null ? null : Math.max(next, restsUntil, heldUntil, freeAt)
  }

  private context(): SystemCtx {
    const waitUntil = (work: Promise<unknown>) => this.object.waitUntil(work)
    return createContext({ env: this.env, waitUntil, start: 'first-primary' })
  }
}

/** Nothing for a type that this version does not know: the delivery is then dropped alone. */
function tellingOf({ id, body }: Due): Telling[] {
  const { success, data } = Body.safeParse(JSON.parse(body))
  return success ? [{ id: toId(id), ...data }] : []
}
