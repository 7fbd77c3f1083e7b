import { messageOf } from '../failures.ts'

type Fields = Record<string, unknown>

/** Writes JSON lines. Fields contain ids, never content: no email address, no user text, no token. */
export type Log = {
  info: (message: string, fields?: Fields) => void
  warn: (message: string, fields?: Fields) => void
  error: (message: string, fields?: Fields) => void
  /** A log that adds these fields to every line. */
  with: (fields: Fields) => Log
}

function make(base: Fields): Log {
  const write =
    (level: string) =>
    (message: string, fields: Fields = {}) => {
      const line = { level, message, at: new Date().toISOString(), ...base, ...fields }
      // biome-ignore lint/suspicious/noConsole: the one place where lines are written
      console.log(JSON.stringify(line, (_, value) => (value instanceof Error ? describe(value) : value)))
    }
  return {
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
    with: (fields) => make({ ...base, ...fields }),
  }
}

/** Leaves out SQL parameters, also from the stack, which begins with the complete message. */
function describe(error: Error): Fields {
  const message = messageOf(error)
  const calls = error.stack?.replace(error.message, '').split('\n').slice(1, 6)
  const cause = error.cause instanceof Error ? describe(error.cause) : undefined
  return { name: error.name, message, stack: calls?.map((line) => line.trim()), cause }
}

export const log = make({})
