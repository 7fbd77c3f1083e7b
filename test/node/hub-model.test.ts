import { expect, test } from 'vitest'
import { History } from './hub-model/history.ts'
import { crashSteps, type Step, steps } from './hub-model/world.ts'

// A model of what docs/adr/0038-hubs.md decides: two databases, a hub, the consumer of events, and clients with frames in
// flight. Every pause is as long as chance wants.

/** `HUB_MODEL_RUNS=60000 npm test -- hub-model` takes about two minutes. */
const RUNS = Number(process.env.HUB_MODEL_RUNS || 2_000)
/** The rarest flaw shows in every 2,000th history. Histories are reproducible, so the test does not depend on luck. */
const RUNS_TO_CATCH = 4_000
const TIMEOUT_MS = 60_000 + RUNS * 10

/** The first history in which somebody who followed missed a post, somebody blocked was told, or a number went back. */
function firstFlaw(runs: number, options: { leftOut: Step | null; dies: boolean }): string | null {
  for (let seed = 0; seed < runs; seed++) {
    const flaw = new History(seed, options).flaw()
    if (flaw) return `history ${seed}: ${flaw}`
  }
  return null
}

test.each([
  ['a hub that lives on', false],
  ['a hub that dies at any time, also between sending and keeping a frame', true],
])(
  'with %s, whoever follows learns of each post, and nobody blocked is told',
  (_, dies) => {
    expect(firstFlaw(RUNS, { leftOut: null, dies })).toBeNull()
  },
  TIMEOUT_MS,
)

test.each(steps)('the model notices if this step is left out: %s', (leftOut) => {
  expect(firstFlaw(RUNS_TO_CATCH, { leftOut, dies: false })).not.toBeNull()
})

test.each(crashSteps)('with a hub that dies, the model notices if this step is left out: %s', (leftOut) => {
  expect(firstFlaw(RUNS_TO_CATCH, { leftOut, dies: true })).not.toBeNull()
})
