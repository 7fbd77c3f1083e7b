import { call } from './api.ts'
import { FieldProblem, Problem, Unreachable } from './http.ts'
import { begin, end, isSignedOut } from './session.ts'
import type { Login, Registration, Tokens, Verification } from './wire.ts'

export async function register(json: Registration): Promise<void> {
  await call('POST', '/auth/register', { json }).catch((error: unknown) => {
    throw error instanceof Problem && error.status === 409 ? new FieldProblem('handle', 'is taken') : error
  })
}

/** Confirms the address that a mail went to, which logs its owner in. */
export async function verify(json: Verification): Promise<void> {
  const tokens = await call<Tokens>('POST', '/auth/verify', { json }).catch((error: unknown) => {
    const isWrong = error instanceof Problem && error.status === 401
    throw isWrong ? new FieldProblem('password', 'does not match; try again, or register again for a new mail') : error
  })
  await begin(tokens)
}

export async function logIn(json: Login): Promise<void> {
  await begin(await call<Tokens>('POST', '/auth/login', { json }))
}

/** Ends this login. Without a network it is only forgotten here. */
export async function logOut(): Promise<void> {
  await call('POST', '/auth/logout').catch((error: unknown) => {
    if (!(error instanceof Unreachable) && !isSignedOut(error)) throw error
  })
  await end()
}
