const PRECISION = 14
const REGISTERS = 1 << PRECISION
const RANKS = 64 - PRECISION
const MOST_EXACT = 1_000
const base64url = { alphabet: 'base64url', omitPadding: true } as const

/**
 * A set whose size can be read: the members themselves up to 1,000, then a HyperLogLog with 2^14 registers. A member is a
 * uniform hash of 64 bits in base64url. The text is stored.
 */
export class Sketch {
  private members: Set<string> | null
  private registers = new Uint8Array(0)

  constructor(text = '') {
    this.members = text.startsWith('~') ? null : new Set(text.match(/.{11}/g))
    if (!this.members) this.registers = Uint8Array.fromBase64(text.slice(1), { alphabet: 'base64url' })
  }

  add(members: Iterable<string>): this {
    for (const member of members) {
      if (!this.members) this.observe(member)
      else if (this.members.add(member).size > MOST_EXACT) this.approximate(this.members)
    }
    return this
  }

  get size(): number {
    return this.members ? this.members.size : estimate(this.registers)
  }

  toString(): string {
    return this.members ? [...this.members].join('') : `~${this.registers.toBase64(base64url)}`
  }

  private approximate(members: ReadonlySet<string>): void {
    this.registers = new Uint8Array(REGISTERS)
    this.members = null
    for (const member of members) this.observe(member)
  }

  private observe(member: string): void {
    const view = new DataView(Uint8Array.fromBase64(member, { alphabet: 'base64url' }).buffer)
    const [high, low] = [view.getUint32(0), view.getUint32(4)]
    const index = high >>> (32 - PRECISION)
    const rest = (high << PRECISION) >>> 0
    const rank = rest === 0 ? 32 - PRECISION + Math.clz32(low) + 1 : Math.clz32(rest) + 1
    if (rank > (this.registers[index] ?? 0)) this.registers[index] = rank
  }
}

/** The improved estimator of Ertl, "New cardinality estimation algorithms for HyperLogLog sketches" (2017), algorithm 6. */
function estimate(registers: Uint8Array): number {
  const histogram = new Array<number>(RANKS + 2).fill(0)
  for (const rank of registers) histogram[rank] = (histogram[rank] ?? 0) + 1
  const share = (rank: number) => (histogram[rank] ?? 0) / REGISTERS
  let sum = REGISTERS * tau(1 - share(RANKS + 1))
  for (let rank = RANKS; rank >= 1; rank--) sum = 0.5 * (sum + (histogram[rank] ?? 0))
  sum += REGISTERS * sigma(share(0))
  return Math.round((REGISTERS * REGISTERS) / (2 * Math.LN2 * sum))
}

function sigma(share: number): number {
  if (share === 1) return Number.POSITIVE_INFINITY
  let [x, y, sum, before] = [share, 1, share, -1]
  while (sum !== before) {
    before = sum
    x *= x
    sum += x * y
    y *= 2
  }
  return sum
}

function tau(share: number): number {
  if (share === 0 || share === 1) return 0
  let [x, y, sum, before] = [share, 1, 1 - share, -1]
  while (sum !== before) {
    before = sum
    x = Math.sqrt(x)
    y *= 0.5
    sum -= (1 - x) ** 2 * y
  }
  return sum / 3
}
