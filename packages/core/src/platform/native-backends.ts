/** The backends of @vitral/backend-node, which is imported only when one of them is asked for. */

export const startNative = async (): Promise<void> => (await import('@vitral/backend-node')).startNative()

export const startTensorflow = async (): Promise<void> => (await import('@vitral/backend-node')).startTensorflow()
