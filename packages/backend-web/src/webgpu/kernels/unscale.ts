/** Loss scaling undone, and whether a gradient has an element that is infinite or NaN. */
import { type IndexedInputs, indexedInputs, sizeOf } from '@vitral/core/kernels/arguments'
import { kernel, type WebgpuKernel } from '../kernel.ts'
import { DEFAULT_LANES, program } from '../program.ts'
import { dispatchOverLists, listProgram, withPartials } from '../tensor-list.ts'
import { sumOfLanes } from '../wgsl.ts'

// The exponent's bits tell: a comparison of numbers may be left out by compilers that assume finite ones.
const scaled = listProgram({
  name: 'unscale',
  roles: ['gradient', 'output'],
  constants: { scale: 'f32' },
  declarations: sumOfLanes(DEFAULT_LANES),
  before: 'var offenders = 0.0;',
  each: (read, write) => `
    let gradient = ${read('gradient')};
    let exponents = bitcast<vec4<u32>>(gradient) & vec4(0x7f800000u);
    if (any((exponents == vec4(0x7f800000u)) & valid)) { offenders = 1.0; }
    ${write('output', 'gradient * constants.scale')}`,
  partial: 'sumOfLanes(offenders, lane)',
})

const found = program({
  name: 'unscaleFound',
  bindings: { partials: 'f32', foundNonFinite: 'f32' },
  constants: { tiles: 'u32' },
  lanes: 256,
  declarations: sumOfLanes(256),
  body: `
  var sum = 0.0;
  for (var i = lane; i < constants.tiles; i += LANES) { sum += partials[i]; }
  let total = sumOfLanes(sum, lane);
  if (lane == 0u) { foundNonFinite[0] = min(total, 1.0); }`,
})

export const unscale: WebgpuKernel = kernel<IndexedInputs, { count: number; scale: number }>(
  'VitralUnscale',
  (backend, inputs, { count, scale }) => {
    const gradients = indexedInputs(inputs, 'g', count)
    const sizes = gradients.map(sizeOf)
    const outputs = gradients.map(({ shape }) => backend.output(shape))
    const { info, range } = backend.output([])
    const lists = {
      gradient: gradients.map(gradient => backend.range(gradient)),
      output: outputs.map(output => output.range),
    }
    withPartials(backend, sizes, (partials, tiles) => {
      dispatchOverLists(backend, scaled, lists, sizes, { scale }, partials)
      backend.dispatch(found, { partials, foundNonFinite: range }, { tiles }, 1)
    })
    return [...outputs.map(output => output.info), info]
  },
)
