export type Step = <T>(title: string, play: () => Promise<T>) => Promise<T>

const TITLE_WIDTH = 68

/** Plays a step and prints its title, a check mark and how long it took; or a cross, and throws on. */
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

/** Throws, telling what should have been, unless it is. */
export function ensure(holds: boolean, what: string): asserts holds {
  if (!holds) throw new Error(`This should be, and is not: ${what}`)
}
