import { defineAction } from '../../platform/security/actions.ts'

export const curateTrends = defineAction('trends:curate', {
  allows: 'Take entries out of the lists of what is trending, and put them back',
  role: 'moderator',
})
