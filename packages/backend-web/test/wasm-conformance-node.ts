/** Run by wasm.test.ts in Node: node FILE THREADS. */
import { wasmConformance } from './wasm-conformance.ts'

console.log(JSON.stringify(await wasmConformance(Number(process.argv[2]))))
