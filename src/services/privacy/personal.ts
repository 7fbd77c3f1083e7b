import { classify, nothing, type PersonalData } from '../../platform/personal-data.ts'
import { deletions, erasedAccounts } from './tables.ts'

/** A person whose account is being deleted cannot log in to export it, so there is nothing to export here. */
export const privacyData: PersonalData = {
  inventory: {
    ...classify(deletions, {
      accountId: 'owner',
      requestedAt: 'technical',
      eraseAt: 'technical',
      startedAt: 'technical',
      progressedAt: 'technical',
    }),
    'R2 KEYS erased/<account id>': { object: 'technical' },
    ...classify(erasedAccounts, { accountId: 'technical', erasedAt: 'technical' }),
  },
  exported: nothing,
  // The row in `deletions` controls the erasure, which deletes it last.
  erase: async () => true,
}
