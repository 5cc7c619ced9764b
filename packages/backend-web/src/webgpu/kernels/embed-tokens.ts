/** The class token in front of the patches, and the position embeddings. B images, T tokens, C columns. */
import type { TensorInfo } from '@tensorflow/tfjs-core'
import type { Backward } from '@vitral/core/kernels/arguments'
import { Gradients, kernel, type WebgpuKernel } from '../kernel.ts'
import { DEFAULT_LANES, program } from '../program.ts'

const forward = program({
  name: 'embedTokens',
  bindings: { patches: 'f32', clsToken: 'f32', positionEmbeddings: 'f32', output: 'f32' },
  constants: { size: 'u32', tokens: 'u32', columns: 'u32' },
  body: `
  let i = group * LANES + lane;
  if (i >= constants.size) { return; }
  let ofImage = constants.tokens * constants.columns;
  let image = i / ofImage;
  let place = i % ofImage;
  var token = 0.0;
  if (place < constants.columns) { token = clsToken[place]; }
  else { token = patches[i - (image + 1) * constants.columns]; }
  output[i] = token + positionEmbeddings[place];`,
})

export const embedTokens: WebgpuKernel = kernel<
  Record<'patches' | 'clsToken' | 'positionEmbeddings', TensorInfo>,
  object
>('VitralEmbedTokens', (backend, { patches, clsToken, positionEmbeddings }) => {
  const [batch, count, columns] = patches.shape as [number, number, number]
  const tokens = 1 + count
  const size = batch * tokens * columns
  const { info, range } = backend.output([batch, tokens, columns])
  const ranges = {
    patches: backend.range(patches),
    clsToken: backend.range(clsToken),
    positionEmbeddings: backend.range(positionEmbeddings),
    output: range,
  }
  backend.dispatch(forward, ranges, { size, tokens, columns }, Math.ceil(size / DEFAULT_LANES))
  return info
})

// Each lane has one place of all images: it sums over them, and passes the patches' share on.
const backward = program({
  name: 'embedTokensGrad',
  bindings: { dy: 'f32', dPatches: 'f32', dClsToken: 'f32', dPositions: 'f32' },
  constants: {
    batch: 'u32',
    tokens: 'u32',
    columns: 'u32',
    wantsPatches: 'u32',
    wantsClsToken: 'u32',
    wantsPositions: 'u32',
  },
  body: `
  let place = group * LANES + lane;
  let columns = constants.columns;
  let ofImage = constants.tokens * columns;
  if (place >= ofImage) { return; }
  var sum = 0.0;
  for (var image = 0u; image < constants.batch; image++) {
    let up = dy[image * ofImage + place];
    sum += up;
    if (constants.wantsPatches != 0u && place >= columns) {
      dPatches[image * (ofImage - columns) + place - columns] = up;
    }
  }
  if (constants.wantsPositions != 0u) { dPositions[place] = sum; }
  if (constants.wantsClsToken != 0u && place < columns) { dClsToken[place] = sum; }`,
})

export const embedTokensGrad: WebgpuKernel = kernel<{ dy: TensorInfo }, Backward>(
  'VitralEmbedTokensGrad',
  (backend, { dy }, attrs) => {
    const [batch, tokens, columns] = dy.shape as [number, number, number]
    const gradients = new Gradients(backend, attrs)
    const dPatches = gradients.range('patches', [batch, tokens - 1, columns])
    const dClsToken = gradients.range('clsToken', [1, 1, columns])
    const dPositions = gradients.range('positionEmbeddings', [1, tokens, columns])
    const wants = {
      wantsPatches: Number(dPatches !== undefined),
      wantsClsToken: Number(dClsToken !== undefined),
      wantsPositions: Number(dPositions !== undefined),
    }
    backend.dispatch(
      backward,
      { dy: backend.range(dy), dPatches, dClsToken, dPositions },
      { batch, tokens, columns, ...wants },
      Math.ceil((tokens * columns) / DEFAULT_LANES),
    )
    return gradients.all()
  },
)
