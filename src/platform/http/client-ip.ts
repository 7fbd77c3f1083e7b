/** The client's address from `cf-connecting-ip`, the only trusted header. An IPv6 /64 counts as one client. */
export function clientIpOf(header: string | undefined): string {
  const address = header ?? 'unknown'
  if (!address.includes(':')) return address
  const [before = '', after] = address.split('::')
  const [head, tail] = [groupsOf(before), groupsOf(after ?? '')]
  const zeros = after === undefined ? 0 : Math.max(0, 8 - head.length - tail.length)
  return [...head, ...Array<string>(zeros).fill('0'), ...tail].slice(0, 4).join(':')
}

const groupsOf = (part: string) => (part === '' ? [] : part.split(':'))
