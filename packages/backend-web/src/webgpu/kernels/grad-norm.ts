/** The 2-norm of all gradients: a sum of squares for each tile, and then the root of their sum. */
import { type IndexedInputs, indexedInputs, sizeOf } from '@vitral/core/kernels/arguments'
import { kernel, type WebgpuKernel } from '../kernel.ts'
import { DEFAULT_LANES, program } from '../program.ts'
import { dispatchOverLists, listProgram, withPartials } from '../tensor-list.ts'
import { sumOfLanes } from '../wgsl.ts'

const squares = listProgram({
  name: 'gradNorm',
  roles: ['gradient'],
  constants: {},
  declarations: sumOfLanes(DEFAULT_LANES),
  before: 'var sum = 0.0;',
  each: read => `
    let gradient = select(vec4(0.0), ${read('gradient')}, valid);
    sum += dot(gradient, gradient);`,
  partial: 'sumOfLanes(sum, lane)',
})

const root = program({
  name: 'gradNormRoot',
  bindings: { partials: 'f32', norm: 'f32' },
  constants: { tiles: 'u32' },
  lanes: 256,
  declarations: sumOfLanes(256),
  body: `
  var sum = 0.0;
  for (var i = lane; i < constants.tiles; i += LANES) { sum += partials[i]; }
  let total = sumOfLanes(sum, lane);
  if (lane == 0u) { norm[0] = sqrt(total); }`,
})

export const gradNorm: WebgpuKernel = kernel<IndexedInputs, { count: number }>(
  'VitralGradNorm',
  (backend, inputs, { count }) => {
    const gradients = indexedInputs(inputs, 'g', count)
    const sizes = gradients.map(sizeOf)
    const { info, range } = backend.output([])
    const lists = { gradient: gradients.map(gradient => backend.range(gradient)) }
    withPartials(backend, sizes, (partials, tiles) => {
      dispatchOverLists(backend, squares, lists, sizes, {}, partials)
      backend.dispatch(root, { partials, norm: range }, { tiles }, 1)
    })
    return info
  },
)
