/**
 * Memory of messages and images given back by who used it last. The garbage collection would do so much later, and until then
 * each further message takes fresh memory, whose pages cost more than the message.
 */

/** Frees the bytes where their memory holds nothing else; nobody may read them afterwards. */
export function releaseBuffer({ buffer, byteLength }: Uint8Array): void {
  // What is smaller than its buffer shares it with others.
  if (byteLength > 0 && byteLength === buffer.byteLength) (buffer as Transferable).transfer?.(0)
}

/** Newer than the types. */
interface Transferable extends ArrayBuffer {
  transfer?(byteLength: number): ArrayBuffer
}
