export const MAX_API_KEYS = 20
export const MAX_API_KEY_DAYS = 365
