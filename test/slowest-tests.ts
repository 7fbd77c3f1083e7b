import type { Reporter, TestModule } from 'vitest/node'

const SHOWN = 10

/** A vitest reporter that prints the slowest tests of a run. */
export default class SlowestTests implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const tests = modules.flatMap((module) =>
      [...module.children.allTests()].map((test) => ({
        name: `${module.relativeModuleId} > ${test.fullName.replace(/\s+/g, ' ')}`,
        ms: test.diagnostic()?.duration ?? 0,
      })),
    )
    const slowest = tests.sort((a, b) => b.ms - a.ms).slice(0, SHOWN)
    const lines = slowest.map(({ name, ms }) => `${(ms / 1_000).toFixed(1).padStart(7)} s  ${name}\n`)
    process.stdout.write(`\nThe slowest tests:\n${lines.join('')}`)
  }
}
