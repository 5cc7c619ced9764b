/** The module itself: its calls, its memory, its threads, and Node, which runs the other instruction set. */
import { beforeAll, describe, expect, test } from 'bun:test'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { engine, memory, tensor1d } from '@tensorflow/tfjs-core'
import { useBackend } from '@vitral/core'
import type { KernelBackend } from '@vitral/core/kernels'
import { build } from 'esbuild'
import { sourcesHash } from '../../scripts/wasm-sources.ts'
import { trainingStep } from '../../test/training-step.ts'
import type { ConformanceReport } from '../../test/wasm-conformance.ts'
import { wasmForward } from '../../test/wasm-forward.ts'
import { setWasmThreads, tasksOfWorkers, wasmInfo } from './index.ts'

beforeAll(() => useBackend('wasm'))

const backend = () => engine().backend as KernelBackend
const floats = (length: number) => new Float32Array(length)

describe('calls into the module', () => {
  const gelu = (size: number, x: unknown, output: unknown) => () =>
    backend().kernels.gelu({ size, x: x as Float32Array, output: output as Float32Array })

  test('a call refuses what does not fit, naming it as the addon does, and the next call works', () => {
    expect(gelu(4, floats(4), floats(3))).toThrow('gelu: output has 3 elements; expected 4')
    expect(gelu(1.5, floats(1), floats(1))).toThrow('size is 1.5; expected a whole number')
    expect(gelu(4, [1], floats(4))).toThrow('x is not a Float32Array')
    expect(gelu(4, undefined, floats(4))).toThrow('x is not a Float32Array')
    expect(() => backend().kernels.packedLinearFloats({ inputs: 2 ** 40, outputs: 2 ** 40, dtype: 'float32' })).toThrow(
      'packedLinearFloats: the dimensions are too large',
    )
    expect(() => backend().kernels.packedLinearFloats({ inputs: 1, outputs: 1, dtype: 'int4' as 'int8' })).toThrow(
      "dtype is not 'float32', 'bfloat16' or 'int8'",
    )
    const logits = floats(3)
    const call = { batch: 1, classes: 3, logits, probabilities: null, labelSmoothing: 0 }
    expect(() => backend().kernels.crossEntropy({ ...call, labels: Int32Array.of(3) })).toThrow(
      'label 3 of image 0 is not a class index from 0 to 2',
    )
    expect(backend().kernels.crossEntropy({ ...call, labels: Int32Array.of(2) })).toBeCloseTo(Math.log(3), 6)
  })

  test('a call reads an array that is not in its memory', () => {
    const { info, values } = backend().allocate([2])
    backend().kernels.gelu({ size: 2, x: Float32Array.of(0, 1), output: values })
    expect([...values]).toEqual([0, expect.closeTo(0.8413447, 6)])
    backend().disposeData(info.dataId)
  })
})

describe('the memory of the module', () => {
  test('arrays stay what they are where the memory grows', () => {
    const small = tensor1d([1, 2, 3])
    const before = backend().allocate([5])
    before.values.fill(7)
    const large = Array.from({ length: 3 }, () => backend().allocate([30 * 2 ** 20]))
    for (const [i, { values }] of large.entries()) values[values.length - 1] = i + 1
    expect([...before.values]).toEqual([7, 7, 7, 7, 7])
    expect(large.map(({ values }) => values.at(-1))).toEqual([1, 2, 3])
    expect([...small.dataSync()]).toEqual([1, 2, 3])
    for (const { info } of [before, ...large]) backend().disposeData(info.dataId)
    small.dispose()
  })

  test('what is beyond 4 GB is an error that names its size, and leaves nothing behind', () => {
    const { numTensors } = memory()
    expect(() => backend().allocate([2 ** 30])).toThrow(/WebAssembly has no 4,096 MB of memory left beside the/)
    expect(() => backend().allocate([2 ** 34])).toThrow('a smaller batch takes less')
    expect(memory().numTensors).toBe(numTensors)
    const { info, values } = backend().allocate([1])
    values[0] = 3
    expect(values[0]).toBe(3)
    backend().disposeData(info.dataId)
  })
})

describe('threads of the module', () => {
  test('a number of threads that is none is refused', () => {
    for (const threads of [0, 1.5, 257, Number.NaN])
      expect(() => setWasmThreads(threads)).toThrow(`setWasmThreads was given ${threads}`)
  })

  test('useBackend takes a number of threads', async () => {
    await useBackend('wasm', { threads: 3 })
    expect(wasmInfo().threads).toBe(3)
    await expect(useBackend('auto', { threads: 0 })).rejects.toThrow(
      'useBackend: threads is 0; expected a whole number',
    )
    setWasmThreads(2)
  })

  test('workers carry out a part of the tasks', async () => {
    const before = tasksOfWorkers()
    while (tasksOfWorkers() === before) await wasmForward(2) // until they have started
  })

  test('any number of threads gives the same bits, forward and in training', async () => {
    const alone = await wasmForward(1)
    const stepAlone = await trainingStep('wasm')
    for (const threads of [2, 3]) {
      const together = await wasmForward(threads)
      expect(together.info.threads).toBe(threads)
      expect(together.logits).toEqual(alone.logits)
      expect(await trainingStep('wasm')).toEqual(stepAlone)
    }
    expect(alone.logits.some(logit => logit !== 0)).toBe(true)
    setWasmThreads(2)
  })
})

/** Node 20 has no relaxed SIMD, so that both modules run here. */
test('conformance of wasm in Node, on one thread and on two', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'vitral-wasm-'))
  try {
    await build({
      entryPoints: [join(import.meta.dir, '../../test/wasm-conformance-node.ts')],
      outfile: join(folder, 'conformance.mjs'),
      bundle: true,
      format: 'esm',
      platform: 'node',
      conditions: ['bun'],
      external: ['@vitral/backend-node'],
      banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
      logLevel: 'error',
    })
    for (const threads of [1, 2]) {
      const { stdout, stderr, exitCode } = Bun.spawnSync(['node', join(folder, 'conformance.mjs'), String(threads)])
      expect(exitCode).toBe(0)
      expect(stderr.toString()).toBe(
        "The backend 'wasm' has no float16 products and computes them in float32; take 'webgpu', or another precision.\n",
      )
      const report = JSON.parse(stdout.toString()) as ConformanceReport
      expect(report.failed).toEqual([])
      expect(report.threads).toBe(threads)
      expect(report.passed).toBeGreaterThan(200)
    }
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test('the backend says what it runs on', () => {
  expect(['relaxed-simd', 'simd128']).toContain(wasmInfo().instructionSet)
})

/** Compiling takes many minutes: `bun scripts/build-wasm.ts --check` compares the bytes. */
test.each(['simd128', 'relaxed'] as const)(
  'the shipped module of %s is compiled from the sources that are here',
  isa => {
    const [header] = readFileSync(join(import.meta.dir, `binaries/${isa}.ts`), 'utf8').split('\n')
    expect(header).toContain(`of sources ${sourcesHash(isa)}:`)
  },
)
