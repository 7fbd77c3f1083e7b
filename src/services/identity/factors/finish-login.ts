import type { Ctx } from '../../../platform/context.ts'
import { Failure } from '../../../platform/failures.ts'
import { spend, trySpend, userLimit } from '../../../platform/security/rate-limit.ts'
import { keepAccount } from '../cancel-deletion.ts'
import { isFromReset } from '../device-tokens.ts'
import { awaitingApproval } from '../failures.ts'
import { noteRefusal } from '../guessing.ts'
import { newDeviceMailLimit } from '../limits.ts'
import type { LoginPerson } from '../people.ts'
import type { LoginDevice } from '../session-rows.ts'
import { startSession } from '../start-session.ts'
import type { Tokens } from '../views.ts'
import { readFactors } from './factors.ts'
import { secondStepFailure } from './second-step-challenge.ts'

/**
 * For a person who has proved the first factor, by a password or a provider: starts the session, or throws
 * `second_factor_required`. `deviceId`: the device, if the account has logged in on it before.
 */
export async function finishFirstFactor(ctx: Ctx, person: LoginPerson, deviceId: string | null): Promise<Tokens> {
  await requireMayLogIn(ctx, person)
  const factors = await readFactors(ctx, person.id)
  if (factors.isOn) throw await secondStepFailure(ctx, { accountId: person.id, deviceId, factors })
  return openLogin(ctx, person, deviceId)
}

/** Also counts a request of the account, so that logging in is not unlimited for those who know a password. */
export async function requireMayLogIn(ctx: Ctx, { id, approval }: LoginPerson): Promise<void> {
  if (approval) {
    await noteRefusal(ctx, { accountId: id, reason: 'awaiting_approval' })
    throw new Failure(awaitingApproval)
  }
  await spend(ctx, userLimit, id)
}

/** For a person who has proved all factors of the account. Cancels a deletion of the account. */
export async function openLogin(ctx: Ctx, person: LoginPerson, deviceId: string | null): Promise<Tokens> {
  const deletionCancelled = person.eraseAt !== null
  if (deletionCancelled) await keepAccount(ctx, person.id)
  const tokens = await startSession(ctx, person, await deviceOf(ctx, person, deviceId))
  return { ...tokens, ...(deletionCancelled && { deletionCancelled }) }
}

async function deviceOf(ctx: Ctx, { id }: LoginPerson, knownId: string | null): Promise<LoginDevice> {
  if (knownId !== null) return { deviceId: isFromReset(knownId) ? crypto.randomUUID() : knownId, warns: false }
  const warns = trySpend(ctx, newDeviceMailLimit, id).then(
    (allowance) => allowance !== null,
    () => true,
  )
  return { deviceId: crypto.randomUUID(), warns: await warns }
}
