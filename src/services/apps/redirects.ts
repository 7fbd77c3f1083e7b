const MAX_LENGTH = 500
const LOOPBACK = /^(http:\/\/(?:127\.0\.0\.1|\[::1\]))(?::\d{1,5})?(?=\/|\?|$)/
/** Printable ASCII without what browsers and servers read differently: wildcards, backslashes, quotes, spaces. */
const SAFE = /^[\w.~:/?[\]@!$&'()+,;=%-]+$/

/** Why an app cannot register this redirect URI, or null. `own` is the origin of this server. */
export function redirectFlaw(uri: string, own: string): string | null {
  if (uri.length > MAX_LENGTH) return `is longer than ${MAX_LENGTH} characters`
  if (uri.includes('#')) return 'must have no fragment'
  if (uri.includes('*')) return 'must have no wildcard'
  if (!SAFE.test(uri) || !URL.canParse(uri)) return 'is not a URL in ASCII'
  const { href, protocol, username, password, origin } = new URL(uri)
  if (username || password || uri.includes('@')) return 'must have no user name'
  // A URL that the parser changes (dot segments, upper case, default port) is not what a browser opens.
  if (href !== uri && href !== `${uri}/`) return `must be written as ${href}`
  if (origin === own) return 'must not be on this server'
  if (protocol !== 'https:' && !isLoopback(uri)) return 'must begin with https://, http://127.0.0.1 or http://[::1]'
  return null
}

/** A redirect to the device itself, at any port (RFC 8252, 7.3). */
export function isLoopback(uri: string): boolean {
  return LOOPBACK.test(uri)
}

/** Compares the texts, except for the port of a loopback address. */
export function isRegistered(registered: readonly string[], uri: string): boolean {
  if (registered.includes(uri)) return true
  return isLoopback(uri) && registered.filter(isLoopback).map(withoutPort).includes(withoutPort(uri))
}

const withoutPort = (uri: string) => uri.replace(LOOPBACK, '$1')
