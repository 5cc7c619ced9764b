/** What runs in the browser: the tests call these functions through the page. */
import { add, browser, engine, fill } from '@tensorflow/tfjs-core'
import { webgpuAdapter } from '@vitral/backend-web'
import { useBackend } from '@vitral/core'
import type { WebgpuBackend } from '../src/webgpu/backend.ts'
import { trainingStep } from './training-step.ts'
import { wasmConformance } from './wasm-conformance.ts'
import { wasmForward } from './wasm-forward.ts'
import { webgpuConformance } from './webgpu-conformance.ts'

/** What reading says after a command that the device refuses, and then after the device is lost. */
async function deviceErrors(): Promise<string[]> {
  const messageOf = (promise: Promise<unknown>): Promise<string> =>
    promise.then(
      () => 'none',
      (error: Error) => error.message,
    )
  await useBackend('webgpu')
  const { device } = engine().backend as WebgpuBackend
  const { createBindGroup } = device
  device.createBindGroup = descriptor => createBindGroup.call(device, { ...descriptor, entries: [] })
  const refused = await messageOf(add(fill([5000], 1), 1).data())
  await useBackend('webgpu')
  const waiting = add(fill([5000], 1), 1).data()
  ;(engine().backend as WebgpuBackend).device.destroy()
  const lost = await messageOf(waiting)
  await useBackend('webgpu')
  return [refused, lost, await messageOf(add(fill([5000], 1), 1).data())]
}

/** The colours of a canvas, as a tensor of the GPU has them. */
async function canvasPixels(): Promise<number[]> {
  await useBackend('webgpu')
  const canvas = document.createElement('canvas')
  Object.assign(canvas, { width: 3, height: 2 })
  const context = canvas.getContext('2d') as CanvasRenderingContext2D
  context.fillStyle = 'rgb(10, 20, 30)'
  context.fillRect(1, 0, 1, 2)
  const pixels = await createImageBitmap(canvas)
  return [...(await browser.fromPixels(pixels).data())]
}

Object.assign(globalThis, {
  canvasPixels,
  trainingStep,
  wasmConformance,
  webgpuConformance,
  wasmForward,
  useBackend,
  webgpuAdapter,
  deviceErrors,
})
