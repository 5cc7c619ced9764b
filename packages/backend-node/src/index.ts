/** The public names of @vitral/backend-node. */
export { type DeviceInfo, deviceInfo, measurePeak, multiplyAdd, setThreads, startNative } from './native/index.ts'
export { startTensorflow } from './tensorflow/index.ts'
