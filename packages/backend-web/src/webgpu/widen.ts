/** Half-precision tensors for kernels that know float32 alone. */

import { elementsOf } from '@vitral/core/sizes'
import type { Range } from './memory.ts'
import { DEFAULT_LANES, program } from './program.ts'
import type { Recorder } from './recorder.ts'
import type { Data } from './tensors.ts'

// unpack2x16float needs no feature of the device.
const unpack = program({
  name: 'widen',
  bindings: { input: 'u32', output: 'f32' },
  constants: { pairs: 'u32', size: 'u32' },
  body: `
  let i = group * LANES + lane;
  if (i >= constants.pairs) { return; }
  let pair = unpack2x16float(input[i]);
  output[2 * i] = pair.x;
  if (2 * i + 1 < constants.size) { output[2 * i + 1] = pair.y; }`,
})

/** Replaces a tensor's values in half the bytes by the same in whole floats. */
export function widen(recorder: Recorder, data: Data): void {
  const { memory } = recorder
  const size = elementsOf(data.shape)
  const pairs = Math.ceil(size / 2)
  const [input, output] = [data.resource as Range, memory.acquire(4 * size)]
  recorder.dispatch(unpack, { input, output }, { pairs, size }, recorder.workgroups(Math.ceil(pairs / DEFAULT_LANES)))
  memory.release(input)
  Object.assign(data, { resource: output, half: false })
}
