import { expect } from 'vitest'
import type { RegisteredUser } from './actors.ts'
import { directoryNumber } from './auth.ts'
import { authorize, decide, errorOf, ISSUER, REDIRECT } from './oauth.ts'

export const countCodes = () => directoryNumber('select count(*) as n from app_codes')

/** Expects that a request is refused on a page, and that neither a browser nor a page of ours returns to the app. */
export async function expectNoReturn(user: RegisteredUser, query: string): Promise<void> {
  const page = await authorize(query)
  expect([page.status, page.headers.get('location')]).toEqual([400, null])
  expect(page.headers.get('content-type')).toContain('text/html')
  expect(page.headers.get('content-security-policy')).toContain("frame-ancestors 'none'")
  await expectNoCode(user, query)
}

/** Expects a page with a link that tells the app about an error, with the issuer, the state and no code. Nothing leads there without a click. */
export async function expectReturn(
  user: RegisteredUser,
  query: string,
  error: string,
  state: string | null = 'xyz',
): Promise<void> {
  const page = await authorize(query)
  const [, link = ''] = /<a href="([^"]+)" rel="noreferrer">Return to birdhouse.example</.exec(await page.text()) ?? []
  const back = new URL(link.replaceAll('&amp;', '&'))
  const { searchParams } = back
  expect([page.status, page.headers.get('location')]).toEqual([400, null])
  expect([back.origin + back.pathname, searchParams.get('error')]).toEqual([REDIRECT, error])
  expect([searchParams.get('state'), searchParams.get('iss'), searchParams.get('code')]).toEqual([state, ISSUER, null])
  await expectNoCode(user, query)
}

async function expectNoCode(user: RegisteredUser, query: string): Promise<void> {
  const before = await countCodes()
  expect(await errorOf(await decide(user, query))).toEqual([400, 'invalid_app_request'])
  expect(await countCodes()).toBe(before)
}
