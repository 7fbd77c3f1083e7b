import { redirect } from './location.ts'

const PATH = '/authorize'

/** What an app asks for, while the person first logs in. */
let waiting: string | null = null

/** The query with which an app sent the person here. */
export const appRequest = () => window.location.search.slice(1)

export function waitForLogin(): void {
  waiting = appRequest()
}

export const isWaiting = () => waiting !== null

/** After the login, the person decides about the app. */
export function resumeRequest(): void {
  const request = waiting
  waiting = null
  if (request !== null) redirect(`${PATH}?${request}`)
}
