/** The prefixes of the objects in the bucket `ACTIVITY_LOG`. */
export const SALTS = 'salts/'
export const LOG = 'log/'
