import { refusals, violates } from '../../../platform/data/conditions.ts'
import { Failure, invalid } from '../../../platform/failures.ts'
import { invalidCredentials } from '../failures.ts'
import { wrongChallenge } from './challenges.ts'
import { usedChallenges } from './factor-tables.ts'
import { USED } from './passkey-assertions.ts'
import type { Proof } from './proofs.ts'

export function requireOneProof(proof: Proof): void {
  if (Object.values(proof).filter((given) => given !== undefined).length === 1) return
  throw invalid('code', 'is required, or else one of `recoveryCode` and `passkey`')
}

export function refuseUsed(error: unknown): never {
  if (violates(error, usedChallenges.id)) throw wrongChallenge()
  return refusals({ [USED]: () => new Failure(invalidCredentials) })(error)
}
