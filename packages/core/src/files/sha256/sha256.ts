/** SHA-256 of bytes that come in pieces; the package's `#platform` has the fastest one there is where it runs. */
export interface Sha256 {
  update(bytes: Uint8Array): void
  /** The digest of all bytes so far; ends it. */
  hex(): string
}

export type CreateSha256 = () => Sha256
