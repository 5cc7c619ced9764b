/**
 * Frees buffers of messages and images right after their last use. Garbage collection would do so much later, and until then
 * each further message takes fresh memory, whose page faults cost more than the message.
 */

/** Frees the bytes if their buffer holds nothing else; they must not be read afterwards. */
export function releaseBuffer({ buffer, byteLength }: Uint8Array): void {
  // A view smaller than its buffer shares it with others.
  if (byteLength > 0 && byteLength === buffer.byteLength) (buffer as Transferable).transfer?.(0)
}

/** ArrayBuffer.transfer, which the types do not have yet. */
interface Transferable extends ArrayBuffer {
  transfer?(byteLength: number): ArrayBuffer
}
