/** R2 requires parts of at least 5 MiB, all of the same size except the last. */
export const PART_BYTES = 5 * 1024 * 1024

type Upload = Pick<R2MultipartUpload, 'uploadPart'>

/** Collects bytes and uploads them in parts of equal size. Only the bytes of one part are in memory. */
export class PartBuffer {
  private readonly buffer = new Uint8Array(PART_BYTES)
  private filled = 0

  constructor(
    private readonly upload: Upload,
    readonly parts: R2UploadedPart[],
    rest: Uint8Array,
  ) {
    this.buffer.set(rest)
    this.filled = rest.length
  }

  async write(chunk: Uint8Array): Promise<void> {
    for (let at = 0; at < chunk.length; ) {
      const taken = chunk.subarray(at, at + PART_BYTES - this.filled)
      this.buffer.set(taken, this.filled)
      this.filled += taken.length
      at += taken.length
      if (this.filled === PART_BYTES) await this.flush()
    }
  }

  /** The bytes that do not fill a part yet. */
  rest(): Uint8Array {
    return this.buffer.subarray(0, this.filled)
  }

  /** Uploads the rest, which may be smaller than the other parts only if it is the last one. */
  async flush(): Promise<void> {
    if (this.filled === 0) return
    this.parts.push(await this.upload.uploadPart(this.parts.length + 1, this.rest()))
    this.filled = 0
  }
}
