/** What is measured. */
import { namedConfig, type ViTConfig } from '@vitral/core'
import type { ContestantName } from './contestants.ts'
import type { ContestantOptions } from './protocol.ts'

export interface Case {
  /** Contestants compute in float32 unless their title says otherwise. */
  summary: string
  config: ViTConfig
  batchSizes: readonly number[]
  task: ContestantOptions['task']
  contestants: readonly ContestantName[]
  rounds: number
}

const base = namedConfig('vit-base-patch16-224', { numLabels: 1000 })

export const cases: Readonly<Record<string, Case>> = {
  'vit-base-inference': {
    summary: 'ViT-B/16 at 224×224, one forward pass',
    config: base,
    batchSizes: [1, 8],
    task: 'inference',
    contestants: ['vitral', 'vitral-bfloat16', 'onnxruntime', 'torch', 'tfjs-wasm'],
    rounds: 9,
  },
  'vit-base-train': {
    summary: 'ViT-B/16 at 224×224, one training step (forward, backward, Adam)',
    config: base,
    batchSizes: [8],
    task: 'training',
    contestants: ['vitral', 'vitral-bfloat16', 'torch'],
    rounds: 5,
  },
  'vit-tiny-patch4-32-inference': {
    summary: 'ViT-Ti/4 at 32×32, one forward pass: how much the engine adds to its kernels',
    config: namedConfig('vit-tiny-patch4-32', { numLabels: 10 }),
    batchSizes: [1],
    task: 'inference',
    contestants: ['vitral', 'bare-kernels', 'onnxruntime', 'torch'],
    rounds: 9,
  },
  'vit-tiny-patch4-32-train': {
    summary: 'ViT-Ti/4 at 32×32, one training step (forward, backward, Adam)',
    config: namedConfig('vit-tiny-patch4-32', { numLabels: 10 }),
    batchSizes: [64],
    task: 'training',
    contestants: ['vitral', 'vitral-bfloat16', 'torch'],
    rounds: 7,
  },
  'vit-base-wasm': {
    summary: 'ViT-B/16 at 224×224, one forward pass in WebAssembly',
    config: base,
    batchSizes: [1, 8],
    task: 'inference',
    contestants: ['vitral-wasm-node', 'vitral-wasm', 'onnxruntime-web', 'tfjs-wasm'],
    rounds: 5,
  },
  'vit-base-wasm-int8': {
    summary: 'ViT-B/16 at 224×224, one forward pass in WebAssembly with 8-bit weights',
    config: base,
    batchSizes: [1, 8],
    task: 'inference',
    contestants: ['vitral-wasm-node-int8', 'vitral-wasm-int8', 'onnxruntime-web-int8', 'vitral-wasm-node'],
    rounds: 5,
  },
  'vit-base-wasm-chromium': {
    summary: 'ViT-B/16 at 224×224, one forward pass in WebAssembly in a page',
    config: base,
    batchSizes: [1, 8],
    task: 'inference',
    contestants: ['vitral-wasm-chromium', 'onnxruntime-web-chromium'],
    rounds: 5,
  },
  'vit-base-wasm-int8-chromium': {
    summary: 'ViT-B/16 at 224×224, one forward pass in WebAssembly with 8-bit weights in a page',
    config: base,
    batchSizes: [1, 8],
    task: 'inference',
    contestants: ['vitral-wasm-chromium-int8', 'onnxruntime-web-chromium-int8'],
    rounds: 5,
  },
  'vit-tiny-patch4-32-wasm': {
    summary: 'ViT-Ti/4 at 32×32, one training step (forward, backward, Adam) in WebAssembly',
    config: namedConfig('vit-tiny-patch4-32', { numLabels: 10 }),
    batchSizes: [8],
    task: 'training',
    contestants: ['vitral-wasm-node', 'vitral-wasm', 'tfjs-wasm'],
    rounds: 5,
  },
  'vit-tiny-patch4-32-webgpu': {
    summary: 'ViT-Ti/4 at 32×32, one forward pass on WebGPU, through Dawn',
    config: namedConfig('vit-tiny-patch4-32', { numLabels: 10 }),
    batchSizes: [1, 8],
    task: 'inference',
    contestants: ['vitral-webgpu', 'vitral-webgpu-float16', 'onnxruntime-webgpu'],
    rounds: 5,
  },
  'vit-base-webgpu': {
    summary: 'ViT-B/16 at 224×224, one forward pass on WebGPU, through Dawn',
    config: base,
    batchSizes: [1],
    task: 'inference',
    contestants: ['vitral-webgpu', 'vitral-webgpu-float16', 'onnxruntime-webgpu'],
    rounds: 3,
  },
  'vit-tiny-patch4-32-webgpu-train': {
    summary: 'ViT-Ti/4 at 32×32, one training step (forward, backward, Adam) on WebGPU, through Dawn',
    config: namedConfig('vit-tiny-patch4-32', { numLabels: 10 }),
    batchSizes: [8],
    task: 'training',
    contestants: ['vitral-webgpu', 'vitral-webgpu-float16'],
    rounds: 5,
  },
}

/** Threads of every contestant. */
export const threads = 2

/** Learning rate of Adam: small, so that the contestants' losses stay comparable over the steps. */
export const learningRate = 1e-5
