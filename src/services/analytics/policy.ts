import { defineAction } from '../../platform/security/actions.ts'
import { defineScope } from '../../platform/security/scopes.ts'

export const readInsights = defineScope('insights:read', 'Read how often your posts are seen and liked')
export const writeImpressions = defineScope('impressions:write', 'Report which posts you saw')
export const analyze = defineScope('analytics', 'Read statistics of the whole network', { for: 'staff' })

export const readAnalytics = defineAction('analytics:read', {
  allows: 'Read statistics of the whole network',
  role: 'admin',
})
