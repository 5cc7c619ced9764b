/** The backends of @vitral/backend-node, which is imported only when one of them is asked for. */

/** Whether `native` can be had at all. */
export const hasNative: boolean = true

export const startNative = async (): Promise<void> => (await import('@vitral/backend-node')).startNative()

export const setNativeThreads = async (threads: number): Promise<void> =>
  (await import('@vitral/backend-node')).setThreads(threads)

export const startTensorflow = async (): Promise<void> => (await import('@vitral/backend-node')).startTensorflow()
