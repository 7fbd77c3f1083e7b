import { type Failure, invalid } from '../../platform/failures.ts'

/** Reads a file from its beginning to its end. Throws `invalid` if the file ends early. */
export class ByteReader {
  readonly #bytes: Uint8Array
  readonly #view: DataView
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  get left(): number {
    return this.#bytes.length - this.#at
  }

  get at(): number {
    return this.#at
  }

  take(count: number): Uint8Array {
    if (count > this.left) throw truncated()
    this.#at += count
    return this.#bytes.subarray(this.#at - count, this.#at)
  }

  since(start: number): Uint8Array {
    return this.#bytes.subarray(start, this.#at)
  }

  text(count: number): string {
    return String.fromCharCode(...this.take(count))
  }

  u8(): number {
    return this.#view.getUint8(this.#skip(1))
  }

  u16(): number {
    return this.#view.getUint16(this.#skip(2))
  }

  u16le(): number {
    return this.#view.getUint16(this.#skip(2), true)
  }

  u24le(): number {
    return this.u16le() + this.u8() * 65_536
  }

  u32(): number {
    return this.#view.getUint32(this.#skip(4))
  }

  u32le(): number {
    return this.#view.getUint32(this.#skip(4), true)
  }

  #skip(count: number): number {
    this.take(count)
    return this.#at - count
  }
}

export function truncated(): Failure {
  return invalid('file', 'is truncated: its end is missing')
}

export function damaged(): Failure {
  return invalid('file', 'is damaged and cannot be decoded')
}
