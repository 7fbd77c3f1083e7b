import { accountsOn } from '../support/actors.ts'
import { linkTo, seedGroup } from '../support/groups.ts'

async function linkCode() {
  const [ownerId] = await accountsOn(0)
  return { code: await linkTo(ownerId, await seedGroup(ownerId, [])) }
}

/** `rule`: of operations that only a member may call, who is the owner here. */
export const groupExamples = <R>(rule: R) => ({
  createGroup: { json: () => ({ name: 'Engines' }) },
  getGroup: { rule },
  editGroup: { rule, json: () => ({ name: crypto.randomUUID() }) },
  leaveGroup: { rule },
  listMembers: { rule },
  addMember: { rule },
  removeMember: { rule },
  setMemberRole: { rule, json: () => ({ role: 'admin' }) },
  createGroupLink: { rule, json: () => ({ audience: 'anyone', approval: false }) },
  revokeGroupLink: { rule },
  previewGroup: { json: linkCode },
  joinGroupByLink: { json: linkCode },
  listJoinRequests: { rule },
  approveJoinRequest: { rule },
  refuseJoinRequest: { rule },
})
