/** With which `sealFor` seals the previews in the inbox of an account. */
export const PREVIEW = 'message preview'
/** With which the names of groups are sealed there. */
export const GROUP_NAME = 'group name'
