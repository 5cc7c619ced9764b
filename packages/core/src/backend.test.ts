import { expect, test } from 'bun:test'
import { getBackend } from '@tensorflow/tfjs-core'
import { type BackendName, useBackend } from './backend.ts'

test('a backend that is there becomes the current one', async () => {
  expect(await useBackend('cpu')).toEqual({ name: 'cpu', passedOver: [] })
  expect(getBackend()).toBe('cpu')
})

test('auto takes the fastest that starts, and says why not the ones before', async () => {
  const { name, passedOver } = await useBackend('auto')
  const order: BackendName[] = ['native', 'webgpu', 'wasm', 'cpu']
  expect(order.slice(0, order.indexOf(name))).toEqual(passedOver.map(({ name }) => name))
  expect(getBackend()).toBe(name)
})

test('an unknown name is refused with the names there are', () => {
  expect(useBackend('gpu' as BackendName)).rejects.toThrow(
    "There is no backend 'gpu'; choose 'auto' or one of native, tensorflow, webgpu, wasm, cpu.",
  )
})
