/** With which `sealFor` seals the previews in the inbox of an account. */
export const PREVIEW = 'message preview'
