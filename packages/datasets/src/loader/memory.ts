/** The memory of batches: a slot of the ring is shared with the threads, where the machine lets them; other memory is sent. */

export type Memory = ArrayBuffer | SharedArrayBuffer

/** Browsers share memory on isolated pages only; elsewhere it is sent to and fro, which is no copy either. */
export const canShare: boolean = typeof SharedArrayBuffer !== 'undefined'

export const allocate = (bytes: number, shared: boolean): Memory =>
  shared && canShare ? new SharedArrayBuffer(bytes) : new ArrayBuffer(bytes)

/** What has to be sent with a message that has this memory in it. */
export const transferred = (memory: Memory | undefined): ArrayBuffer[] =>
  memory instanceof ArrayBuffer ? [memory] : []
