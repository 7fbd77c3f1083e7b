import { call, get } from './api.ts'
import type { Invitation, Invitations, NewInvitation } from './wire.ts'

export const loadInvitations = () => get<Invitations>('/me/invitations')

export const createInvitation = () => call<NewInvitation>('POST', '/invitations')

export const revokeInvitation = ({ id }: Invitation) => call('DELETE', `/me/invitations/${id}`)
