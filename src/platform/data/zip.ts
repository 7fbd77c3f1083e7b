import { crc32 } from 'node:zlib'

// Writes ZIP archives (APPNOTE 6.3.10) without compression, because images do not shrink. The size and checksum of a file
// follow its bytes, so that a file is written while it is read. Archives may exceed 4 GiB and 65,535 files (ZIP64).

const UINT16 = 0xffff
const UINT32 = 0xffffffff
/** General purpose flags: sizes in a data descriptor (bit 3), names in UTF-8 (bit 11). */
const FLAGS = 0x0808
const encoder = new TextEncoder()

type Entry = { name: string; offset: number; size: number; crc: number }

/** What has been written so far. It can be stored as JSON, to continue the archive later. */
export type ZipState = { offset: number; entries: Entry[]; time: number }

type File = { path: string; body: AsyncIterable<string | Uint8Array> }

/** The bytes of a file with its headers. Adds the file to `zip` after its last chunk. */
export async function* zipFile(zip: ZipState, { path, body }: File): AsyncGenerator<Uint8Array> {
  const name = encoder.encode(path)
  const header = joined([u32(0x04034b50), u16(20), ...common(zip, { size: 0, crc: 0 }), u16(name.length), u16(0), name])
  yield header
  let [size, crc] = [0, 0]
  for await (const part of body) {
    const chunk = typeof part === 'string' ? encoder.encode(part) : part
    crc = crc32(chunk, crc)
    size += chunk.length
    yield chunk
  }
  if (size >= UINT32) throw new Error(`${path} has more than 4 GiB`)
  const descriptor = joined([u32(0x08074b50), u32(crc), u32(size), u32(size)])
  yield descriptor
  zip.entries.push({ name: path, offset: zip.offset, size, crc })
  zip.offset += header.length + size + descriptor.length
}

/** The list of the files, which ends the archive. */
export function* zipEnd(zip: ZipState): Generator<Uint8Array> {
  let size = 0
  for (const entry of zip.entries) {
    const record = directoryRecord(zip, entry)
    size += record.length
    yield record
  }
  const count = zip.entries.length
  const isLarge = count >= UINT16 || zip.offset + size >= UINT32
  if (isLarge) yield zip64End(count, size, zip.offset)
  const shown = isLarge
    ? [u16(UINT16), u16(UINT16), u32(UINT32), u32(UINT32)]
    : [u16(count), u16(count), u32(size), u32(zip.offset)]
  yield joined([u32(0x06054b50), u16(0), u16(0), ...shown, u16(0)])
}

function directoryRecord(zip: ZipState, entry: Entry): Uint8Array {
  const name = encoder.encode(entry.name)
  const isFar = entry.offset >= UINT32
  const extra = isFar ? joined([u16(1), u16(8), u64(entry.offset)]) : new Uint8Array()
  return joined([
    u32(0x02014b50),
    u16(isFar ? 45 : 20),
    u16(isFar ? 45 : 20),
    ...common(zip, entry),
    u16(name.length),
    u16(extra.length),
    ...[u16(0), u16(0), u16(0), u32(0)],
    u32(isFar ? UINT32 : entry.offset),
    name,
    extra,
  ])
}

function zip64End(count: number, size: number, offset: number): Uint8Array {
  const record = [
    u32(0x06064b50),
    u64(44),
    u16(45),
    u16(45),
    u32(0),
    u32(0),
    u64(count),
    u64(count),
    u64(size),
    u64(offset),
  ]
  const locator = [u32(0x07064b50), u32(0), u64(offset + size), u32(1)]
  return joined([...record, ...locator])
}

/** The fields that the local header and the list of files share. Without a size, those of a data descriptor. */
function common({ time }: ZipState, { size, crc }: Pick<Entry, 'size' | 'crc'>): Uint8Array[] {
  const at = new Date(time)
  const clock = (at.getUTCHours() << 11) | (at.getUTCMinutes() << 5) | (at.getUTCSeconds() >> 1)
  const day = ((at.getUTCFullYear() - 1980) << 9) | ((at.getUTCMonth() + 1) << 5) | at.getUTCDate()
  return [u16(FLAGS), u16(0), u16(clock), u16(day), u32(crc), u32(size), u32(size)]
}

const u16 = (value: number) => Uint8Array.of(value & 255, value >> 8)
const u32 = (value: number) => new Uint8Array(Uint32Array.of(value).buffer)
const u64 = (value: number) => new Uint8Array(BigUint64Array.of(BigInt(value)).buffer)

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    bytes.set(part, at)
    at += part.length
  }
  return bytes
}
