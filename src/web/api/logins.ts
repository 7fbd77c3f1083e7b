import type { Session, Sessions } from '../../client/wire.ts'
import { call, get } from './api.ts'

export const loadSessions = () => get<Sessions>('/me/sessions')

export const endOtherSession = ({ id }: Session) => call('DELETE', `/me/sessions/${id}`)

export const endOtherSessions = () => call('DELETE', '/me/sessions')
