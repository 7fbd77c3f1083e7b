import { inflateSync } from 'node:zlib'

type Decoded = { width: number; height: number; colors: string[] }

const channels: Record<number, number> = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 }

/** Decodes a PNG of eight bits that is not interlaced. Each colour is `r,g,b,a`. */
export function decodePng(file: Uint8Array): Decoded {
  const chunks = chunksOf(file)
  const all = (type: string) => chunks.filter((chunk) => chunk.type === type).flatMap(({ data }) => [...data])
  const header = new DataView(Uint8Array.from(all('IHDR')).buffer)
  const [width, height, depth, kind] = [
    header.getUint32(0),
    header.getUint32(4),
    header.getUint8(8),
    header.getUint8(9),
  ] as const
  const perPixel = channels[kind]
  if (depth !== 8 || header.getUint8(12) !== 0 || !perPixel) throw new Error('unexpected PNG')
  const rows = unfilter(inflateSync(Uint8Array.from(all('IDAT'))), width * perPixel, perPixel)
  const palette = all('PLTE')
  const alphas = all('tRNS')
  const colors = rows.flatMap((row) =>
    Array.from({ length: width }, (_, x) => {
      const [a = 0, b = 0, c = 0, d = 255] = row.slice(x * perPixel, (x + 1) * perPixel)
      if (kind === 3) return [...palette.slice(a * 3, a * 3 + 3), alphas[a] ?? 255].join()
      return (kind === 0 ? [a, a, a, 255] : kind === 4 ? [a, a, a, b] : [a, b, c, d]).join()
    }),
  )
  return { width, height, colors }
}

function chunksOf(file: Uint8Array): { type: string; data: Uint8Array }[] {
  const view = new DataView(file.buffer, file.byteOffset)
  const chunks = []
  for (let at = 8; at < file.length; at += view.getUint32(at) + 12) {
    const type = String.fromCharCode(...file.subarray(at + 4, at + 8))
    chunks.push({ type, data: file.subarray(at + 8, at + 8 + view.getUint32(at)) })
  }
  return chunks
}

function unfilter(raw: Uint8Array, length: number, perPixel: number): number[][] {
  const rows: number[][] = []
  for (let at = 0; at < raw.length; at += length + 1) {
    const above = rows.at(-1) ?? Array(length).fill(0)
    const row: number[] = []
    for (let i = 0; i < length; i++) {
      const [left, up, corner] = [row[i - perPixel] ?? 0, above[i], above[i - perPixel] ?? 0]
      const predicted = [0, left, up, (left + up) >> 1, paeth(left, up, corner)][raw[at]!]!
      row.push((raw[at + 1 + i]! + predicted) & 255)
    }
    rows.push(row)
  }
  return rows
}

function paeth(left: number, up: number, corner: number): number {
  const [l, u, c] = [Math.abs(up - corner), Math.abs(left - corner), Math.abs(left + up - 2 * corner)]
  return l <= u && l <= c ? left : u <= c ? up : corner
}
