/** Run by Node: reads what overflows V8's stack if a pattern has to match it, and downloads from the hub it is given. */
import { diskFolder } from '../src/files/folder.ts'
import { resolveModel } from '../src/files/hub/hub.ts'
import { openModelFolder } from '../src/files/model-folder.ts'
import { readHeader } from '../src/files/safetensors/safetensors-header.ts'

const fault = (() => {
  try {
    return readHeader(new TextEncoder().encode(`{"${'n'.repeat(10_000_000)}":{"dtype":"F32","dtype":"F32"}}`), 'it')
  } catch (error) {
    return (error as Error).message
  }
})()
const { weights } = await openModelFolder(diskFolder(await resolveModel('owner/model')))
let tensors = 0
await weights.read(() => tensors++)
console.log(JSON.stringify({ fault, tensors }))
