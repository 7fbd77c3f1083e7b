import { call, get } from './api.ts'
import type { Invitation, Invitations, InvitationWithCode } from './wire.ts'

export const loadInvitations = () => get<Invitations>('/me/invitations')

export const createInvitation = () => call<InvitationWithCode>('POST', '/invitations')

export const revokeInvitation = ({ id }: Invitation) => call('DELETE', `/me/invitations/${id}`)
