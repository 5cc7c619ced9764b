/** Run by Node: reads what overflows V8's stack if a pattern has to match it, and downloads from the hub it is given. */
import { hiddenFault } from '../src/files/hidden-fault.ts'
import { resolveModel } from '../src/files/hub.ts'
import { readModelFolder } from '../src/files/model-folder.ts'

const fault = hiddenFault(`{"${'n'.repeat(10_000_000)}":{"dtype":"F32","dtype":"F32"}}`)
const { weights } = await readModelFolder(await resolveModel('owner/model'))
console.log(JSON.stringify({ fault, tensors: weights.size }))
