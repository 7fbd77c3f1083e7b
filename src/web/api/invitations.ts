import type { Invitation, Invitations, InvitationWithCode } from '../../client/wire.ts'
import { call, get } from './api.ts'

export const loadInvitations = () => get<Invitations>('/me/invitations')

export const createInvitation = () => call<InvitationWithCode>('POST', '/invitations')

export const revokeInvitation = ({ id }: Invitation) => call('DELETE', `/me/invitations/${id}`)
