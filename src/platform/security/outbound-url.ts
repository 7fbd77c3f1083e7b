import type { Config } from '../config.ts'
import { invalid } from '../failures.ts'

const MAX_LENGTH = 2_048
const LABEL = /^(?!-)[a-z0-9_-]{1,63}(?<!-)$/
const TOP_LEVEL = /^(?:[a-z]{2,63}|xn--[a-z0-9-]{2,59})$/

/** Top-level domains without public servers (RFC 6761, 6762, 8375, 9476, and common private use). */
const NOT_PUBLIC = new Set(
  'alt arpa corp example home internal intranet invalid lan local localdomain localhost onion private test'.split(' '),
)

/**
 * Allows https on port 443 to a public DNS name. IP addresses are refused in every notation: no top-level domain is a
 * number. Resolved addresses are not checked, because a Worker's network has no private ones. Throws `invalid`.
 */
export function outboundUrl(config: Config, text: string, base?: URL): URL {
  const url = text.length <= MAX_LENGTH ? URL.parse(text, base?.href) : null
  if (url === null) throw refused()
  url.hash = ''
  if (url.username !== '' || url.password !== '') throw refused()
  if (config.OUTBOUND_LOCAL_HOSTS.includes(url.host) && /^https?:$/.test(url.protocol)) return url
  const name = url.hostname.replace(/\.$/, '')
  if (url.protocol !== 'https:' || url.port !== '' || !isPublicName(name) || isOurs(config, name)) throw refused()
  return url
}

function isPublicName(name: string): boolean {
  const labels = name.split('.')
  const top = labels.at(-1)!
  return (
    name.length <= 253 &&
    labels.length > 1 &&
    labels.every((label) => LABEL.test(label)) &&
    TOP_LEVEL.test(top) &&
    !NOT_PUBLIC.has(top)
  )
}

function isOurs(config: Config, name: string): boolean {
  const ours = new URL(config.BASE_URL).hostname
  return name === ours || name.endsWith(`.${ours}`)
}

function refused() {
  return invalid('url', 'must be a public https address')
}
