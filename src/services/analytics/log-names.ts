export const SALTS = 'salts/'
export const LOG = 'log/'
