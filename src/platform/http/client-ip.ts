import type { Client } from '../context.ts'
import type { ClientIp } from '../security/rate-limit.ts'

/**
 * The client's address, from a header that clients cannot forge: Cloudflare sets it. All addresses of an IPv6 /64 are
 * one client, and their /48 is its network. Requests without the header, which exist only locally, are one client.
 */
export function clientIpOf(header: string | undefined): ClientIp {
  const text = header ?? 'unknown'
  if (!text.includes(':')) return { network: text, address: text }
  const groups = groupsOf(text)
  const mapped = mappedIpv4(groups)
  if (mapped) return { network: mapped, address: mapped }
  const prefix = (length: number) => groups.slice(0, length).map(hex).join(':')
  return { network: prefix(3), address: prefix(4) }
}

const MAX_USER_AGENT = 300

export function clientOf({ headers, cf }: Request): Client {
  const place = [cf?.city, cf?.country].filter((part) => typeof part === 'string').join(', ')
  return {
    address: headers.get('cf-connecting-ip'),
    userAgent: headers.get('user-agent')?.slice(0, MAX_USER_AGENT) ?? null,
    place: place || null,
  }
}

/** The eight numbers of an IPv6 address. */
function groupsOf(text: string): number[] {
  const address = text.replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (_, ...bytes: string[]) => {
    const [a = 0, b = 0, c = 0, d = 0] = bytes.slice(0, 4).map(Number)
    return `${hex(a * 256 + b)}:${hex(c * 256 + d)}`
  })
  const [head = [], tail = []] = address.split('::').map((part) => (part === '' ? [] : part.split(':').map(parseHex)))
  const zeros = Array<number>(Math.max(0, 8 - head.length - tail.length)).fill(0)
  return [...head, ...zeros, ...tail]
}

/** The IPv4 address in an address of `::ffff:0:0/96`, or null. As IPv6 addresses, all of these share one /64. */
function mappedIpv4([a, b, c, d, e, f, high = 0, low = 0]: number[]): string | null {
  if (a || b || c || d || e || f !== 0xffff) return null
  return [high >> 8, high & 255, low >> 8, low & 255].join('.')
}

const hex = (group: number) => group.toString(16)
const parseHex = (group: string) => Number.parseInt(group, 16) || 0
