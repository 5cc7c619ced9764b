/** What is said when the device's memory ends, on Dawn's null backend, which has 512 MiB: two lines, of the op and of a read. */
import { fill, type Tensor } from '@tensorflow/tfjs-core'
import { useBackend } from '@vitral/core'
import { useNullBackend } from './null-backend.ts'

useNullBackend()
await useBackend('webgpu')
const made: Tensor[] = []
const message = (error: unknown): void => console.log((error as Error).message)
try {
  for (let i = 0; i < 8; i++) made.push(fill([25, 1000, 1000], 1)) // 100 MB each
} catch (error) {
  message(error)
}
await made[0]?.data().catch(message)
process.exit(0)
