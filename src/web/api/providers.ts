import { ApiError, type ProviderFlow, type ProviderRegistration, type Tokens } from '../../client/client.ts'
import type { ProviderAnswer } from '../state/provider-answer.ts'
import { proofOf } from './auth.ts'
import { client } from './client.ts'
import { InvalidField, instead } from './errors.ts'
import { loadToken, saveToken } from './token-store.ts'

// Only this tab can finish the flow: a session storage belongs to one tab.
const KEY = 'socialconnect.flow'

export type Started = { purpose: 'login' | 'link' | 'confirm'; flow: string; provider: string; from: string }
type Provider = { id: string; name: string }

const starts = {
  login: client.startProviderLogin,
  link: client.startProviderLink,
  confirm: client.startProviderConfirmation,
}

/** Leaves this page for that of the provider, which leads back to /login/callback. */
export async function goToProvider({ id, name }: Provider, purpose: Started['purpose']): Promise<void> {
  const { url, flow }: ProviderFlow = await starts[purpose]({ providerId: id })
  const started: Started = { purpose, flow, provider: name, from: window.location.pathname }
  sessionStorage.setItem(KEY, JSON.stringify(started))
  window.location.assign(url)
}

/** The flow that this tab has started, once. */
export function takeFlow(): Started | null {
  const text = sessionStorage.getItem(KEY)
  sessionStorage.removeItem(KEY)
  return text === null ? null : JSON.parse(text)
}

const callbackOf = ({ flow }: Started, { code, state, iss }: ProviderAnswer) => ({ flow, code, state, iss })

export async function logInWithProvider(started: Started, answer: ProviderAnswer): Promise<Tokens> {
  return client.logInWithProvider({ ...callbackOf(started, answer), deviceToken: await loadToken('device') })
}

/** `code`: typed by the person, to confirm the login of an account with a second factor. */
export function finishFlow(started: Started, answer: ProviderAnswer, code?: string): Promise<void> {
  const wrong = new InvalidField('code', 'is wrong or was used before')
  const secondFactor = code === undefined ? undefined : proofOf(code)
  return client
    .finishProviderFlow({ ...callbackOf(started, answer), secondFactor })
    .catch(instead('invalid_credentials', wrong))
}

/** Returns null if the address must be verified first: an email is on its way. */
export async function registerWithProvider(registration: ProviderRegistration): Promise<Tokens | null> {
  const taken = new InvalidField('handle', 'is already taken')
  return client
    .registerWithProvider(registration)
    .catch(instead('handle_taken', taken))
    .catch(async (error: unknown) => {
      if (!(error instanceof ApiError && error.registrationToken)) throw error
      await saveToken('registration', error.registrationToken)
      return null
    })
}
