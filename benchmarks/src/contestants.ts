/** The contestants, and how each is started. */
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export interface ContestantEntry {
  command: readonly string[]
  /** Takes minutes a round: only with --slow. */
  slow?: boolean
  /** Whether it reads the ONNX file with linear layers in bytes, which is written for none else. */
  readsInt8Onnx?: boolean
  /** How far its logits may be from the first contestant's: more is not rounding. @default 1e-3 */
  logitsTolerance?: number
  /**
   * What in its environment holds it to the instruction set that VITRAL_ISA names; without an entry for that, it does not
   * take part. @default it follows VITRAL_ISA itself, or has no choice
   */
  heldTo?: Readonly<Record<string, Readonly<Record<string, string>>>>
}

const file = (path: string) => fileURLToPath(new URL(path, import.meta.url))
const script = (name: string) => [process.execPath, file(`contestants/${name}.ts`)]

const inNode = (name: string) => ['sh', file('../peers/in-node.sh'), process.execPath, name]

const inChromium = (name: string) => [...script('in-chromium'), name]

/** Debian's python3-torch belongs to Debian's Python, which need not be the first on the path. */
const python = process.env.BENCH_PYTHON ?? '/usr/bin/python3'

export const contestants = {
  vitral: { command: script('vitral') },
  // Only where BENCH_BEFORE names another checkout, installed and built: what a change has cost or gained.
  'vitral-before': {
    command: [process.execPath, join(process.env.BENCH_BEFORE ?? '', 'benchmarks/src/contestants/vitral.ts')],
  },
  // Factors of 8 significant bits, through twelve layers.
  'vitral-bfloat16': { command: script('vitral-bfloat16'), logitsTolerance: 0.05 },
  onnxruntime: { command: script('onnxruntime'), heldTo: {} },
  torch: {
    command: [python, file('../peers/torch_vit.py')],
    heldTo: { avx2: { OPENBLAS_CORETYPE: 'Haswell', ATEN_CPU_CAPABILITY: 'avx2', DNNL_MAX_CPU_ISA: 'AVX2' } },
  },
  'vitral-loader': { command: script('vitral-loader') },
  torchvision: { command: [python, file('../peers/torchvision_loader.py')] },
  // The kernels in a C++ loop; built once, into the build folder of backend-node.
  'bare-kernels': { command: ['sh', file('../peers/bare-kernels.sh')] },
  'vitral-wasm': { command: script('vitral-wasm') },
  'vitral-wasm-node': { command: inNode('vitral-wasm') },
  // Bytes times bytes, through twelve layers.
  'vitral-wasm-int8': { command: [...script('vitral-wasm'), 'int8'], logitsTolerance: 0.3 },
  'vitral-wasm-node-int8': { command: [...inNode('vitral-wasm'), 'int8'], logitsTolerance: 0.3 },
  'vitral-wasm-chromium': { command: inChromium('vitral-wasm') },
  'vitral-wasm-chromium-int8': { command: [...inChromium('vitral-wasm'), 'int8'], logitsTolerance: 0.3 },
  'onnxruntime-web': { command: inNode('onnxruntime-web') },
  'onnxruntime-web-int8': {
    command: [...inNode('onnxruntime-web'), 'int8'],
    readsInt8Onnx: true,
    logitsTolerance: 0.3,
  },
  'vitral-webgpu': { command: script('vitral-webgpu') },
  // Factors of 11 significant bits, through twelve layers.
  'vitral-webgpu-float16': { command: [...script('vitral-webgpu'), 'float16'], logitsTolerance: 0.01 },
  'onnxruntime-webgpu': { command: [...script('onnxruntime'), 'webgpu'] },
  'onnxruntime-web-chromium': { command: inChromium('onnxruntime-web') },
  'onnxruntime-web-chromium-int8': {
    command: [...inChromium('onnxruntime-web'), 'int8'],
    readsInt8Onnx: true,
    logitsTolerance: 0.3,
  },
  'tfjs-wasm': { command: script('tfjs-wasm'), slow: true },
} satisfies Record<string, ContestantEntry>

export type ContestantName = keyof typeof contestants
