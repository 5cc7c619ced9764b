/** The choice among the packages, with stand-ins that register a backend `tensorflow` as theirs do. */
import { afterEach, beforeEach, expect, test } from 'bun:test'
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

const gpu = '@tensorflow/tfjs-node-gpu'
const cpu = '@tensorflow/tfjs-node'
const dependencies = join(import.meta.dir, '../../node_modules/@tensorflow')

let modules: string
beforeEach(() => {
  modules = join(mkdtempSync(join(tmpdir(), 'vitral-tensorflow-')), 'node_modules')
  mkdirSync(join(modules, '@tensorflow'), { recursive: true })
  for (const name of ['tfjs-core', 'tfjs-backend-cpu'])
    symlinkSync(realpathSync(join(dependencies, name)), join(modules, '@tensorflow', name))
})
afterEach(() => rmSync(dirname(modules), { recursive: true }))

function install(name: string, source: string): void {
  mkdirSync(join(modules, name))
  writeFileSync(join(modules, name, 'index.js'), source)
}

/** The stock CPU kernels under the other name, and the exports that tell which package it is and which tfjs-core. */
const standIn = (name: string, exported = 'core.Tensor'): string => `
  const core = require('@tensorflow/tfjs-core')
  const { MathBackendCPU } = require('@tensorflow/tfjs-backend-cpu')
  core.copyRegisteredKernels('cpu', 'tensorflow')
  class Backend extends MathBackendCPU { package = '${name}'; firstUse = false }
  core.registerBackend('tensorflow', () => new Backend(), 3)
  core.setBackend('tensorflow')
  module.exports = { Tensor: ${exported}, version: { 'tfjs-core': core.version_core } }`

/** Multiplies on the backend in a process that finds the stand-ins: `{ used, product }`, or what useBackend threw. */
function start(): unknown {
  const program = `
    import { backend, tensor2d } from '@tensorflow/tfjs-core'
    import { useBackend } from '@vitral/core'
    import { linear } from '@vitral/core/ops'
    await useBackend('tensorflow')
      .then(() => ({ used: backend().package, product: [...linear(tensor2d([[2, 3]]), tensor2d([[4, 5]])).dataSync()] }))
      .catch(error => error.message)
      .then(result => console.log(JSON.stringify(result)))`
  const { stdout, stderr } = Bun.spawnSync([process.execPath, '-e', program], {
    cwd: import.meta.dir,
    env: { ...process.env, NODE_PATH: modules },
  })
  expect(stderr.toString()).toBe('')
  return JSON.parse(stdout.toString())
}

test('the package that is installed becomes the backend, on the one tfjs-core', () => {
  install(cpu, standIn(cpu))
  expect(start()).toEqual({ used: cpu, product: [23] })
})

test('the one for a GPU comes first', () => {
  install(cpu, standIn(cpu))
  install(gpu, standIn(gpu))
  expect(start()).toEqual({ used: gpu, product: [23] })
})

test('one that cannot be loaded is passed over', () => {
  install(gpu, `throw new Error('The Node.js native addon module (tfjs_binding.node) is not there')`)
  install(cpu, standIn(cpu))
  expect(start()).toEqual({ used: cpu, product: [23] })
})

test('without any, the error says what to install', () => {
  expect(start()).toBe(
    'The backend tensorflow: TensorFlow is not there: @tensorflow/tfjs-node-gpu is not there; @tensorflow/tfjs-node is not ' +
      'there. Install it by: npm install @tensorflow/tfjs-node@4.22.0 (or, with CUDA 11, @tensorflow/tfjs-node-gpu@4.22.0)',
  )
})

test('one with a tfjs-core of its own is refused', () => {
  install(cpu, standIn(cpu, 'class Tensor {}'))
  expect(start()).toContain('@tensorflow/tfjs-node fails: it brought a tfjs-core of its own, version 4.22.0')
})

test('one whose own dependency is missing is not called absent', () => {
  install(cpu, `require('@mapbox/node-pre-gyp')`)
  expect(start()).toMatch(/^The backend tensorflow: .*tfjs-node fails: Cannot find module '@mapbox.node-pre-gyp'/)
})
