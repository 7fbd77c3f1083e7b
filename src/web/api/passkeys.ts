import type { AddedPasskey, PasskeyAssertion, PasskeyChallenge } from '../../client/wire.ts'
import { client } from './client.ts'
import { Cancelled } from './errors.ts'

/** Whether this browser has passkeys for this page. Browsers refuse them for IP addresses. */
export const hasPasskeys = (): boolean =>
  'PublicKeyCredential' in window &&
  'parseRequestOptionsFromJSON' in PublicKeyCredential &&
  !/^[\d.]+$|:/.test(window.location.hostname)

/** Asks the person for a passkey. Rejects with `Cancelled` if there is none, or the person closes the dialog. */
export async function signWith(options: PasskeyChallenge['options']): Promise<PasskeyAssertion> {
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON({ ...options })
  const { id, response } = jsonOf(await navigator.credentials.get({ publicKey }).catch(cancelled))
  if (!('signature' in response)) throw new Cancelled()
  const { clientDataJSON, authenticatorData, signature, userHandle } = response
  return { id, clientDataJSON, authenticatorData, signature, userHandle: userHandle || undefined }
}

/** Makes a passkey and adds it to the account. */
export async function addPasskey(name: string): Promise<AddedPasskey> {
  const { challenge, options } = await client.startPasskey()
  const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON({ ...options })
  const { id, response } = jsonOf(await navigator.credentials.create({ publicKey }).catch(cancelled))
  if (!('attestationObject' in response)) throw new Cancelled()
  const { clientDataJSON, attestationObject } = response
  return client.addPasskey({ challenge, name, passkey: { id, clientDataJSON, attestationObject } })
}

function jsonOf(credential: Credential | null) {
  if (!(credential instanceof PublicKeyCredential)) throw new Cancelled()
  return credential.toJSON()
}

/** Browsers do not say why there is no passkey, so that pages do not learn who has one. */
function cancelled(error: unknown): never {
  if (!(error instanceof DOMException)) throw error
  if (error.name === 'InvalidStateError') throw new Error('This device already has a passkey of your account.')
  throw new Cancelled()
}
