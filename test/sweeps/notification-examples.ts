import { pushSubscription } from '../support/push-subscription.ts'
import type { Example, Rule } from './examples.ts'

export function notificationExamples(ownOnly: Rule, ownUndone: Rule): Record<string, Example> {
  return {
    markNotificationsRead: {},
    markNotificationRead: { rule: ownUndone },
    markNotificationsReadUpTo: { rule: ownUndone },
    markNotificationGroupRead: { rule: ownUndone },
    listNotificationActors: { rule: ownOnly },
    replaceNotificationPreferences: { json: () => ({ rules: { like: { mail: 'followed' } } }) },
    forgetMailSuppression: {},
    unsubscribeFromMails: { rule: () => 'not_found' },
    showUnsubscribePage: { rule: () => 'not_found' },
    createPushSubscription: { json: pushSubscription },
    deletePushSubscription: { rule: ownOnly },
  }
}
