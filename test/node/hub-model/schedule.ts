/** A task of the model. At each `yield` it pauses, and any other task may run. */
export type Task<T = void> = Generator<undefined, T, void>

/** Reproducible random numbers from 0 to 1 (mulberry32). */
export function randomFrom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
}

type Running = { task: Task; speed: number; isEndless: boolean }
const STEPS = 100_000
const SLOWEST = 0.05

/** Runs tasks in a random order. Some are many times slower than others, so that rare orders occur too. */
export class Schedule {
  readonly random: () => number
  now = 0
  private running: Running[] = []
  private total = 0
  private awaited = 0

  constructor(random: () => number) {
    this.random = random
  }

  /** `run` does not wait for the end of an endless task. */
  start(task: Task, isEndless = false): void {
    const speed = SLOWEST ** this.random()
    this.running.push({ task, speed, isEndless })
    this.total += speed
    if (!isEndless) this.awaited += 1
  }

  chance(part: number): boolean {
    return this.random() < part
  }

  *pause(steps: number): Task {
    for (let left = Math.floor(this.random() * steps); left > 0; left--) yield
  }

  run(): void {
    while (this.awaited > 0) {
      if (++this.now > STEPS) throw new Error('the tasks wait for each other')
      const next = this.pick()
      if (!next.task.next().done) continue
      this.running.splice(this.running.indexOf(next), 1)
      this.total -= next.speed
      if (!next.isEndless) this.awaited -= 1
    }
  }

  private pick(): Running {
    let left = this.random() * this.total
    for (const each of this.running) {
      left -= each.speed
      if (left <= 0) return each
    }
    return this.running[0]!
  }
}
