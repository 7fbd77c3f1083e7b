import { openEnum } from '../../platform/http/open-enum.ts'
import { kinds } from './tables.ts'

export const NotificationKind = openEnum('NotificationKind', kinds, 'What happened')
