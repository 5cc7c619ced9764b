/** Native loops against plain ones: the same bytes, for every instruction set of this machine. */
import { describe, expect, test } from 'bun:test'
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { loadNativeKernels } from './native-kernels.ts'
import { plainKernels } from './plain-kernels.ts'

const native = await loadNativeKernels()
if (!native)
  console.log('skipped the native kernels: packages/backend-node has no build, or VITRAL_IMAGES=plain is set')

const binary = join(import.meta.dir, `../../../../backend-node/build/${process.platform}-${process.arch}/vitral.node`)
const root = join(import.meta.dir, '../../..')

describe.skipIf(!native)('native kernels', () => {
  for (const [set, shift] of [
    ['portable', 0],
    ['avx2', 25],
    ['avx512', -13],
  ] as const)
    test(`as far as ${set}, the bytes are those of the plain ones`, () => {
      const env = { ...process.env, VITRAL_ISA: set }
      const args = [join(root, 'test/compare-kernels.ts'), String(shift)]
      const { stdout, stderr } = spawnSync(process.execPath, args, { env, encoding: 'utf8' })
      expect(stderr).toBe('')
      const { counts, failures } = JSON.parse(stdout)
      expect(failures).toEqual([])
      expect(Object.keys(counts).sort()).toEqual(Object.keys(plainKernels).sort())
    })

  test('an argument that does not fit is refused by its name', () => {
    const bytes = (length: number) => new Uint8Array(length)
    const { flipRows, applyLut, projectNearest, resizeImage, adjustHue } = native as typeof plainKernels
    expect(() => flipRows(2, 2, 3, bytes(11), bytes(12))).toThrow('flipRows: source has 11 elements; expected 12')
    expect(() => flipRows(2, 2, 3, bytes(12), bytes(13))).toThrow('output has 13 elements; expected 12')
    expect(() => flipRows(2, 2, 3, new Int8Array(12) as never, bytes(12))).toThrow('is neither a Uint8Array nor')
    expect(() => resizeImage(2, 2, 1, bytes(4), 0, 3, 2, bytes(0))).toThrow('newHeight is 0')
    expect(() => resizeImage(2, 2, 1, bytes(4), 2 ** 30, 2 ** 40, 2, bytes(4))).toThrow('dimensions are too large')
    expect(() => resizeImage(2, 2, 1, bytes(4), 2, 3, 6, bytes(6))).toThrow('filter is not from 1 to 5')
    expect(() => projectNearest(1, 1, 1, bytes(1), 1, 0, Number.NaN, 0, 1, 0, bytes(1))).toThrow('map is not finite')
    expect(() => adjustHue(1, bytes(3), 256, bytes(3))).toThrow('shift is not from -255 to 255')
    expect(() => applyLut(1, 3, bytes(3), new Float32Array(256), new Float32Array(3))).toThrow('expected 768')
  })
})

/** Whether images are native in a new process and in two threads of it, and whether TensorFlow.js was loaded there. */
function inUse(command: string, entry: string, env: Record<string, string>): string[] {
  const module = JSON.stringify(join(root, entry))
  const report = `import(${module}).then(async m => (await m.usesNativeImages()) + ' ' + !!globalThis._tfengine)`
  const thread = `${report}.then(line => require('node:worker_threads').parentPort.postMessage(line))`
  const program = `
    const { Worker } = require('node:worker_threads')
    const inThread = () => new Promise((done, fail) =>
      new Worker(${JSON.stringify(thread)}, { eval: true }).on('message', done).on('error', fail))
    Promise.all([${report}, inThread(), inThread()]).then(lines => console.log(lines.join('\\n')))`
  const { stdout, stderr } = spawnSync(command, ['-e', program], { env: { ...process.env, ...env }, encoding: 'utf8' })
  return `${stdout}${stderr}`.trim().split('\n')
}

for (const [name, command, entry] of [
  ['Bun', process.execPath, 'src/functional/kernels/kernels.ts'],
  ['Node', 'node', 'dist/functional/kernels/kernels.js'],
] as const)
  test(`image kernels in ${name} are native where they can be, in every thread, unless VITRAL_IMAGES=plain`, async () => {
    const line = (native: boolean) => `${native} false`
    expect(inUse(command, entry, { VITRAL_IMAGES: 'plain' })).toEqual(Array(3).fill(line(false)))
    expect(inUse(command, entry, { VITRAL_IMAGES: '' })).toEqual(Array(3).fill(line(existsSync(binary))))
  })
