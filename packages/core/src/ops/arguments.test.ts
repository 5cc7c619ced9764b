/** Every op refuses arguments that do not fit, before any work, with an error that names them. */
import { beforeAll, expect, test } from 'bun:test'
import { ones, setBackend, type Tensor, tensor1d, tidy, zeros } from '@tensorflow/tfjs-core'
import '@tensorflow/tfjs-backend-cpu'
import * as ops from './index.ts'

beforeAll(() => setBackend('cpu'))

const t = (...shape: number[]): never => ones(shape) as Tensor as never
const ints = (...shape: number[]): never => zeros(shape, 'int32') as Tensor as never

/** A step of SGD with momentum over one parameter of two elements. */
const step = (options: Partial<ops.SgdStep>, tensors: Partial<ops.OptimizerTensors> = {}): void =>
  ops.optimizerStep(
    { parameters: [t(2)], gradients: [t(2)], state: [[t(2)]], ...tensors },
    { algorithm: 'sgd', step: 1, lr: 0.1, weightDecay: 0, momentum: 0.9, nesterov: false, ...options },
  )

const refusals: [name: string, call: () => unknown, message: string][] = [
  [
    'patchEmbed, channels',
    () => ops.patchEmbed(t(1, 4, 8, 8), t(5, 3, 4, 4), t(5)),
    'patchEmbed: pixelValues has shape [1, 4, 8, 8]; expected [batch, 3, height, width].',
  ],
  [
    'patchEmbed, size',
    () => ops.patchEmbed(t(1, 3, 3, 8), t(5, 3, 4, 4), t(5)),
    'patchEmbed: an image of 3×8 pixels has no whole patch of 4×4',
  ],
  [
    'patchEmbed, too small',
    () => ops.patchEmbed(t(1, 3, 0, 8), t(5, 3, 4, 4), t(5)),
    'patchEmbed: an image of 0×8 pixels',
  ],
  [
    'patchEmbed, bias',
    () => ops.patchEmbed(t(1, 3, 8, 8), t(5, 3, 4, 4), t(4)),
    'patchEmbed: bias has shape [4]; expected [5].',
  ],
  [
    'embedTokens',
    () => ops.embedTokens(t(2, 4, 6), t(1, 1, 6), t(1, 4, 6)),
    'embedTokens: positionEmbeddings has shape [1, 4, 6]; expected [1, 5, 6].',
  ],
  [
    'maskTokens',
    () => ops.maskTokens(t(2, 4, 6), t(1, 1, 6), t(2, 5)),
    'maskTokens: mask has shape [2, 5]; expected [2, 4].',
  ],
  [
    'interpolatePositions, from',
    () => ops.interpolatePositions(t(1, 5, 6), [2, 3], [4, 4]),
    'positionEmbeddings has shape [1, 5, 6]; expected [1, 7, hiddenSize].',
  ],
  [
    'interpolatePositions, to',
    () => ops.interpolatePositions(t(1, 5, 6), [2, 2], [0, 4]),
    'to is [0,4]; expected two positive whole numbers',
  ],
  [
    'layerNorm, width',
    () => ops.layerNorm(t(2, 5), t(6), t(6), 1e-6),
    'layerNorm: x has shape [2, 5]; expected [..., 6].',
  ],
  ['layerNorm, eps', () => ops.layerNorm(t(2, 5), t(5), t(5), -1), 'layerNorm: eps is -1'],
  ['layerNorm, dtype', () => ops.layerNorm(ints(2, 5), t(5), t(5), 1e-6), 'layerNorm: x is int32; expected float32.'],
  ['qkv', () => ops.qkv(t(1, 2, 6), [t(6, 6), t(6, 5), t(6, 6)]), 'qkv: weights has shape [6, 5]; expected [6, 6].'],
  [
    'attention, heads',
    () => ops.attention(t(1, 2, 18), { numHeads: 4 }),
    'attention: qkv has 18 columns, which are not 3 × 4 heads of equal size.',
  ],
  [
    'classAttention, heads',
    () => ops.classAttention(t(1, 2, 6), [t(6, 6), t(6, 6), t(6, 6)], undefined, { numHeads: 4 }),
    'classAttention: x has 6 columns, which are not 4 heads of equal size.',
  ],
  [
    'classAttention, biases',
    () => ops.classAttention(t(1, 2, 6), [t(6, 6), t(6, 6), t(6, 6)], [t(6), t(6), t(5)], { numHeads: 2 }),
    'classAttention: biases has shape [5]; expected [6].',
  ],
  [
    'attention, dropout',
    () => ops.attention(t(1, 2, 18), { numHeads: 3, dropoutProbability: 1 }),
    'dropoutProbability is 1; expected a number from 0 up to, but not including, 1.',
  ],
  ['linear, input', () => ops.linear(t(2, 5), t(3, 4)), 'linear: x has shape [2, 5]; expected [..., 4].'],
  ['linear, bias', () => ops.linear(t(2, 4), t(3, 4), t(4)), 'linear: bias has shape [4]; expected [3].'],
  [
    'linear, residual',
    () => ops.linear(t(2, 5, 4), t(3, 4), undefined, { residual: t(2, 5, 4) }),
    'linear: residual has shape [2, 5, 4]; expected [2, 5, 3].',
  ],
  [
    'linear, dropout',
    () => ops.linear(t(2, 4), t(3, 4), undefined, { dropoutProbability: 1 }),
    'linear: dropoutProbability is 1; expected a number from 0 up to, but not including, 1.',
  ],
  [
    'linear, drop path',
    () => ops.linear(t(2, 4), t(3, 4), undefined, { dropPathProbability: -0.1 }),
    'linear: dropPathProbability is -0.1',
  ],
  [
    'linear, drop path without samples',
    () => ops.linear(t(4), t(3, 4), undefined, { dropPathProbability: 0.1 }),
    'linear: x has shape [4]; drop path needs samples along a first axis: [B, ..., 4].',
  ],
  [
    'selectToken',
    () => ops.selectToken(t(2, 4, 3), 4),
    'selectToken: index is 4; expected a whole number from 0 to 3.',
  ],
  [
    'loraWeight',
    () => ops.loraWeight(t(4, 3), t(2, 3), t(4, 5), 1),
    'loraWeight: loraB has shape [4, 5]; expected [4, 2].',
  ],
  ['dropout', () => ops.dropout(t(2, 3), { probability: -0.1, seed: 1 }), 'dropout: probability is -0.1'],
  ['gelu', () => ops.gelu(ints(3)), 'gelu: x is int32; expected float32.'],
  [
    'crossEntropy, dtype',
    () => ops.crossEntropy(t(2, 3), t(2)),
    'crossEntropy: labels are float32 of shape [2]; expected int32 [2] or float32 [2, 3].',
  ],
  [
    'crossEntropy, soft',
    () => ops.crossEntropy(t(2, 3), t(2, 4)),
    'crossEntropy: labels has shape [2, 4]; expected [2, 3].',
  ],
  ['crossEntropy, smoothing', () => ops.crossEntropy(t(2, 3), ints(2), { labelSmoothing: 1 }), 'labelSmoothing is 1'],
  [
    'crossEntropy, labels',
    () => ops.crossEntropy(t(2, 3), tensor1d([2, 3], 'int32')),
    'crossEntropy: labels[1] is 3; expected a class index from 0 to 2.',
  ],
  [
    'focalLoss, labels',
    () => ops.focalLoss(t(2, 3), tensor1d([-1, 0], 'int32')),
    'focalLoss: labels[0] is -1; expected a class index from 0 to 2.',
  ],
  [
    'binaryCrossEntropy, labels',
    () => ops.binaryCrossEntropy(t(1, 3), tensor1d([3], 'int32')),
    'binaryCrossEntropy: labels[0] is 3; expected a class index from 0 to 2.',
  ],
  [
    'crossEntropy, no class',
    () => ops.crossEntropy(t(2, 0), ints(2)),
    'crossEntropy: logits has shape [2, 0]; expected classes to be 1 or more.',
  ],
  [
    'patchEmbed, patch of nothing',
    () => ops.patchEmbed(t(1, 3, 8, 8), t(5, 3, 0, 4), t(5)),
    'patchEmbed: weight has shape [5, 3, 0, 4]; expected patchHeight to be 1 or more.',
  ],
  [
    'interpolatePositions, from, in halves',
    () => ops.interpolatePositions(t(1, 5, 6), [0.5, 8], [4, 4]),
    'interpolatePositions: from is [0.5,8]; expected two positive whole numbers, rows and columns.',
  ],
  [
    'attention, half a head',
    () => ops.attention(t(1, 2, 18), { numHeads: 0.5 }),
    'attention: numHeads is 0.5; expected a whole number of at least 1.',
  ],
  [
    'classAttention, half a head',
    () => ops.classAttention(t(1, 2, 6), [t(6, 6), t(6, 6), t(6, 6)], undefined, { numHeads: 0.5 }),
    'classAttention: numHeads is 0.5; expected a whole number of at least 1.',
  ],
  [
    'attention, seed',
    () => ops.attention(t(1, 2, 18), { numHeads: 3, seed: Number.NaN }),
    'attention: seed is NaN; expected a whole number.',
  ],
  ['linear, seed', () => ops.linear(t(2, 4), t(3, 4), undefined, { dropPathSeed: 0.5 }), 'linear: dropPathSeed is 0.5'],
  [
    'linear, activation',
    () => ops.linear(t(2, 4), t(3, 4), undefined, { inputActivation: 'relu' as 'gelu' }),
    "linear: inputActivation is 'relu'; expected 'none' or 'gelu'.",
  ],
  [
    'qkv, outputDtype',
    () => ops.qkv(t(1, 2, 6), [t(6, 6), t(6, 6), t(6, 6)], undefined, { outputDtype: 'half' as 'compute' }),
    "qkv: outputDtype is 'half'; expected 'float32' or 'compute'.",
  ],
  ['dropout, seed', () => ops.dropout(t(2, 3), { probability: 0.1, seed: Infinity }), 'dropout: seed is Infinity'],
  ['gradNorm, dtype', () => ops.gradNorm([t(2), ints(2)]), 'gradNorm: gradient 1 is int32; expected float32.'],
  ['unscale, dtype', () => ops.unscale([ints(2)], 1), 'unscale: gradient 0 is int32; expected float32.'],
  ['optimizerStep, step', () => step({ step: 0 }), 'optimizerStep: step is 0; expected a whole number of at least 1.'],
  [
    'optimizerStep, algorithm',
    () => step({ algorithm: 'rms' as 'sgd' }),
    "optimizerStep: algorithm is 'rms'; expected 'adam' or 'lion' or 'sgd'.",
  ],
  ['optimizerStep, lr', () => step({ lr: Number.NaN }), 'optimizerStep: lr is NaN; expected a number.'],
  [
    'optimizerStep, limit',
    () => step({ gradientLimit: -1 }),
    'optimizerStep: gradientLimit is -1; expected a number of 0',
  ],
  [
    'optimizerStep, gradient',
    () => step({}, { gradients: [t(3)] }),
    'optimizerStep: gradient 0 has shape [3]; expected [2].',
  ],
  [
    'optimizerStep, state',
    () => step({}, { state: [[t(1)]] }),
    'optimizerStep: state 0 of parameter 0 has shape [1]; expected [2].',
  ],
  ['optimizerStep, no state', () => step({}, { state: [[]] }), 'expected as many gradients as parameters and 1 slots'],
  ['gradNorm', () => ops.gradNorm([]), 'gradNorm: there is no gradient'],
  ['unscale', () => ops.unscale([], 1), 'unscale: there is no gradient'],
]

for (const [name, call, message] of refusals)
  test(name, () => {
    expect(() => tidy(() => void call())).toThrow(message)
  })
