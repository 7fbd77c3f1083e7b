const WIDTH = 30
const EVERY_MS = 100

/** A progress bar; silent unless the output is a terminal. */
export function makeProgress(total: number, started: number) {
  const { isTTY } = process.stdout
  let shown = 0
  return {
    show(posts: number, rows: number): void {
      const now = performance.now()
      if (!isTTY || (now - shown < EVERY_MS && posts < total)) return
      shown = now
      const done = Math.round((WIDTH * posts) / total)
      const speed = Math.round((rows / (now - started)) * 1_000)
      const numbers = `${posts.toLocaleString('en')} posts, ${rows.toLocaleString('en')} rows, ${speed.toLocaleString('en')} rows/s`
      process.stdout.write(`\r${'█'.repeat(done)}${'░'.repeat(WIDTH - done)} ${numbers}\u001b[K`)
    },
    end(): void {
      if (isTTY) process.stdout.write('\r\u001b[K')
    },
  }
}
