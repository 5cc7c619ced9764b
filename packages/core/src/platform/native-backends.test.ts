import { expect, test } from 'bun:test'
import { hasNative, startNative, startTensorflow } from './no-native-backends.ts'

test('a browser is offered no native backend, and refuses one by name', async () => {
  expect(hasNative).toBe(false)
  for (const start of [startNative, startTensorflow])
    expect(start()).rejects.toThrow("it runs in Node, Bun and Deno alone; a browser has 'webgpu', 'wasm' and 'cpu'.")
})
