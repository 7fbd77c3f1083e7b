export type Step = <T>(title: string, play: () => Promise<T>) => Promise<T>

const TITLE_WIDTH = 68

/** Runs a step and prints its title, whether it succeeded and how long it took. Throws what the step throws. */
export const step: Step = async (title, play) => {
  const started = performance.now()
  const line = (mark: string) =>
    process.stdout.write(
      `  ${mark} ${title.padEnd(TITLE_WIDTH)} ${String(Math.round(performance.now() - started)).padStart(6)} ms\n`,
    )
  try {
    const result = await play()
    line('✓')
    return result
  } catch (error) {
    line('✗')
    throw error
  }
}

export function ensure(holds: boolean, what: string): asserts holds {
  if (!holds) throw new Error(`Expected, but not true: ${what}`)
}
