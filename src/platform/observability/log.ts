import { messageOf } from '../failures.ts'

type Fields = Record<string, unknown>

/** Writes log lines. Their fields contain ids, never content: no email address, no user text, no token. */
export type Log = {
  info: (message: string, fields?: Fields) => void
  warn: (message: string, fields?: Fields) => void
  error: (message: string, fields?: Fields) => void
  /** A log that adds these fields to every line. */
  with: (fields: Fields) => Log
}

type Line = { level: string; message: string; at: string; requestId?: unknown; error?: unknown }
type Format = (line: Line & Fields) => string

function make(format: Format, base: Fields = {}): Log {
  const write =
    (level: string) =>
    (message: string, fields: Fields = {}) => {
      // biome-ignore lint/suspicious/noConsole: the one place where lines are written
      console.log(format({ level, message, at: new Date().toISOString(), ...base, ...fields }))
    }
  return {
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
    with: (fields) => make(format, { ...base, ...fields }),
  }
}

const asJson: Format = (line) => JSON.stringify(line, (_, value) => (value instanceof Error ? describe(value) : value))

/** For a terminal. A request is a line like `GET /v1/posts/1 200 12 ms 3d546caf`. Other lines name their fields. */
const asText: Format = ({ level, message, at: _, requestId, traceId: __, error, ...fields }) => {
  const id = String(requestId ?? '').slice(0, 8)
  if (message === 'request') return `${fields.method} ${fields.path} ${fields.status} ${fields.ms} ms ${id}`
  const known = Object.entries(fields).filter(([, value]) => value !== undefined)
  const named = known.map(([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`)
  const { name, message: reason, stack } = error instanceof Error ? describe(error) : {}
  const trace = error instanceof Error ? [`${name}: ${reason}`, ...[stack].flat()].join('\n    ') : ''
  return [level.toUpperCase(), message, ...named, id, trace].filter(Boolean).join(' ')
}

/** Leaves out SQL parameters, which may be personal data. The stack has them too: it begins with the message. */
function describe(error: Error) {
  const message = messageOf(error)
  const calls = error.stack?.replace(error.message, '').split('\n').slice(1, 6)
  const cause: unknown = error.cause instanceof Error ? describe(error.cause) : undefined
  return { name: error.name, message, stack: calls?.map((line) => line.trim()), cause }
}

export const log = make(asJson)
const textLog = make(asText)

type Settings = { ENVIRONMENT: string; LOG_FORMAT?: 'json' | 'text' }

/** The log of an environment: text in development and JSON elsewhere, unless `LOG_FORMAT` says otherwise. */
export const logOf = ({ ENVIRONMENT, LOG_FORMAT }: Settings): Log =>
  (LOG_FORMAT ?? (ENVIRONMENT === 'development' ? 'text' : 'json')) === 'text' ? textLog : log
