import { crc32 } from 'node:zlib'

/** Reads an archive as its list of files describes it, and checks every size and checksum. */
export function unzip(archive: Uint8Array): Map<string, Uint8Array> {
  const view = new DataView(archive.buffer, archive.byteOffset, archive.byteLength)
  const end = archive.length - 22
  if (view.getUint32(end, true) !== 0x06054b50) throw new Error('the archive does not end with its list of files')
  const files = new Map<string, Uint8Array>()
  let at = view.getUint32(end + 16, true)
  for (let left = view.getUint16(end + 10, true); left > 0; left--) {
    if (view.getUint32(at, true) !== 0x02014b50) throw new Error('the list of files is broken')
    const [crc, size, from] = [16, 24, 42].map((field) => view.getUint32(at + field, true))
    const [nameLength, extraLength] = [28, 30].map((field) => view.getUint16(at + field, true))
    const name = new TextDecoder().decode(archive.subarray(at + 46, at + 46 + nameLength!))
    const start = from! + 30 + view.getUint16(from! + 26, true) + view.getUint16(from! + 28, true)
    const bytes = archive.subarray(start, start + size!)
    if (crc32(bytes) !== crc) throw new Error(`the checksum of ${name} is wrong`)
    if (files.has(name)) throw new Error(`${name} is in the archive twice`)
    files.set(name, bytes)
    at += 46 + nameLength! + extraLength!
  }
  return files
}
