// Run by sanitize.sh: the conformance suite on the build of this package in the folder given, with 1, 2 and 5 threads.
import { pathToFileURL } from 'node:url'
import { setBackend } from '@tensorflow/tfjs-core'
import { conformanceCases } from '@vitral/core/conformance'

const { deviceInfo, setThreads, startNative } = await import(pathToFileURL(`${process.argv[2]}/dist/index.js`).href)
await startNative()
await setBackend('native')
const { instructionSet } = deviceInfo()
if (instructionSet !== process.env.VITRAL_ISA) {
  console.log(`${process.env.VITRAL_ISA}: not on this machine, skipped`)
  process.exit()
}
const cases = conformanceCases()
let failed = 0
for (const threads of [1, 2, 5]) {
  setThreads(threads)
  for (const { name, run } of cases)
    await run().catch(error => {
      failed++
      console.error(`FAILED ${name}: ${error.message}`)
    })
}
console.log(`${instructionSet}: ${3 * cases.length} cases, ${failed} failed`)
process.exitCode = failed ? 1 : 0
