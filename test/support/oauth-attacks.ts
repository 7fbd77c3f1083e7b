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

/** Expects that the app learns about an error, that it gets no code, and that the issuer and the state are named. */
export async function expectReturn(
  user: RegisteredUser,
  query: string,
  error: string,
  state: string | null = 'xyz',
): Promise<void> {
  const { status, headers } = await authorize(query)
  const back = new URL(headers.get('location') ?? '')
  const { searchParams } = back
  expect([status, back.origin + back.pathname, searchParams.get('error')]).toEqual([303, REDIRECT, error])
  expect([searchParams.get('state'), searchParams.get('iss'), searchParams.get('code')]).toEqual([state, ISSUER, null])
  await expectNoCode(user, query)
}

async function expectNoCode(user: RegisteredUser, query: string): Promise<void> {
  const before = await countCodes()
  expect(await errorOf(await decide(user, query))).toEqual([400, 'invalid_app_request'])
  expect(await countCodes()).toBe(before)
}
