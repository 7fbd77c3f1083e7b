import type { Viewer } from '../context.ts'

const SESSION_PREFIX = 'key:'

/** What stands for an API key where a login has the id of its session. */
export const sessionOfKey = (id: string) => `${SESSION_PREFIX}${id}`

/** The id of the API key that a session id stands for; null for a login. */
export function keyIn(sessionId: string): string | null {
  return sessionId.startsWith(SESSION_PREFIX) ? sessionId.slice(SESSION_PREFIX.length) : null
}

export const isApiKey = ({ sessionId }: Pick<Viewer, 'sessionId'>) => keyIn(sessionId) !== null
