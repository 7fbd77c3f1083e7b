export const FOREVER = Date.UTC(9999, 11, 31)

export const mutingOf = (until: number, now: number) => ({
  isMuted: until > now,
  mutedUntil: until > now && until < FOREVER ? new Date(until).toISOString() : null,
})
