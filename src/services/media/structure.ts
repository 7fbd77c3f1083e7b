export type Size = { width: number; height: number }

/** The frames of an animation, and the parts of its file that draw them: everything but the metadata. */
export type Animation = { frames: number; durationMs: number; parts: Uint8Array[] }

/** What the container of an image says, without decoding any pixel. */
export type Structure = Size & { isLossless: boolean; isComplete: boolean; animation: Animation | null }
