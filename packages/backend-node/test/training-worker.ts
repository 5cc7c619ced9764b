/** A worker with a native backend of its own: trains for as many steps as it is told, and answers with their bits. */
import { useBackend } from '@vitral/core'
import { trainingBits } from './training-bits.ts'

declare const self: Worker

self.onmessage = async ({ data: steps }: MessageEvent<number>) => {
  await useBackend('native')
  self.postMessage('computing')
  const bits: string[] = []
  while (bits.length < steps) bits.push(trainingBits())
  self.postMessage(bits)
}
