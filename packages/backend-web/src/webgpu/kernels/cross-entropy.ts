/** Cross-entropy of B rows of K logits, a workgroup for each row; labels are class indices, or probabilities. */
import type { TensorInfo } from '@tensorflow/tfjs-core'
import type { Backward } from '@vitral/core/kernels/arguments'
import { Gradients, kernel, type WebgpuKernel } from '../kernel.ts'
import { rowProgram } from '../row-program.ts'

interface Attributes {
  labelSmoothing: number
}

const constants = { batch: 'u32', classes: 'u32', smoothing: 'f32', notANumber: 'u32' } as const

/** The bits of NaN, which WGSL has no literal for. */
const NAN_BITS = 0x7fc00000

const labelForms = {
  indices: {
    type: 'i32',
    label: 'select(0.0, 1.0, labels[group] == i32(k))',
    wrong: 'labels[group] < 0 || labels[group] >= i32(constants.classes)',
  },
  probabilities: { type: 'f32', label: 'labels[group * constants.classes + k]', wrong: 'false' },
} as const

type LabelForm = keyof typeof labelForms

const formOf = ({ shape }: TensorInfo): LabelForm => (shape.length === 1 ? 'indices' : 'probabilities')

const declarations = (form: LabelForm): string => `
fn targetOf(group: u32, k: u32) -> f32 {
  return (1.0 - constants.smoothing) * ${labelForms[form].label} + constants.smoothing / f32(constants.classes);
}
// A class that is none makes the loss and its gradient NaN: the labels may never have been on the CPU, to be refused there.
fn unlessWrong(group: u32, value: f32) -> f32 {
  return select(value, bitcast<f32>(constants.notANumber), ${labelForms[form].wrong});
}
fn logSumExp(group: u32, lane: u32) -> f32 {
  let first = group * constants.classes;
  var most = logits[first];
  for (var k = lane; k < constants.classes; k += LANES) { most = max(most, logits[first + k]); }
  let largest = maxOfLanes(most, lane);
  var sum = 0.0;
  for (var k = lane; k < constants.classes; k += LANES) { sum += exp(logits[first + k] - largest); }
  return largest + log(sumOfLanes(sum, lane));
}`

// Where the target is 0, a logit of -Infinity costs nothing.
const forward = (form: LabelForm) =>
  rowProgram({
    name: `crossEntropy ${form}`,
    bindings: { logits: 'f32', labels: labelForms[form].type, losses: 'f32' },
    constants,
    declarations: declarations(form),
    body: `
  if (group >= constants.batch) { return; }
  let logTotal = logSumExp(group, lane);
  var sum = 0.0;
  for (var k = lane; k < constants.classes; k += LANES) {
    let share = targetOf(group, k);
    if (share != 0.0) { sum += share * (logTotal - logits[group * constants.classes + k]); }
  }
  let loss = sumOfLanes(sum, lane);
  if (lane == 0u) { losses[group] = unlessWrong(group, loss); }`,
  })

const mean = rowProgram({
  name: 'crossEntropyMean',
  bindings: { losses: 'f32', output: 'f32' },
  constants: { batch: 'u32' },
  body: `
  var sum = 0.0;
  for (var i = lane; i < constants.batch; i += LANES) { sum += losses[i]; }
  let total = sumOfLanes(sum, lane);
  if (lane == 0u) { output[0] = total / f32(constants.batch); }`,
})

const forwards = { indices: forward('indices'), probabilities: forward('probabilities') }

export const crossEntropy: WebgpuKernel = kernel<Record<'logits' | 'labels', TensorInfo>, Attributes>(
  'VitralCrossEntropy',
  (backend, { logits, labels }, { labelSmoothing }) => {
    const [batch, classes] = logits.shape as [number, number]
    const losses = backend.scratch(4 * batch)
    const { info, range } = backend.output([])
    const ranges = { logits: backend.range(logits), labels: backend.range(labels), losses }
    backend.dispatch(
      forwards[formOf(labels)](backend.device),
      ranges,
      { batch, classes, smoothing: labelSmoothing, notANumber: NAN_BITS },
      batch,
    )
    backend.dispatch(mean(backend.device), { losses, output: range }, { batch }, 1)
    return info
  },
)

// The targets of soft labels may not add up to 1.
const backward = (form: LabelForm) =>
  rowProgram({
    name: `crossEntropyGrad ${form}`,
    bindings: { dy: 'f32', logits: 'f32', labels: labelForms[form].type, dLogits: 'f32' },
    constants,
    declarations: declarations(form),
    body: `
  if (group >= constants.batch) { return; }
  let logTotal = logSumExp(group, lane);
  var sum = 0.0;
  for (var k = lane; k < constants.classes; k += LANES) { sum += targetOf(group, k); }
  let total = sumOfLanes(sum, lane);
  let up = unlessWrong(group, dy[0] / f32(constants.batch));
  for (var k = lane; k < constants.classes; k += LANES) {
    let i = group * constants.classes + k;
    dLogits[i] = (exp(logits[i] - logTotal) * total - targetOf(group, k)) * up;
  }`,
  })

const backwards = { indices: backward('indices'), probabilities: backward('probabilities') }

export const crossEntropyGrad: WebgpuKernel = kernel<
  Record<'dy' | 'logits' | 'labels', TensorInfo>,
  Attributes & Backward
>('VitralCrossEntropyGrad', (backend, { dy, logits, labels }, attrs) => {
  const gradients = new Gradients(backend, attrs)
  const [batch, classes] = logits.shape as [number, number]
  const dLogits = gradients.range('logits', logits.shape)
  const ranges = { dy: backend.range(dy), logits: backend.range(logits), labels: backend.range(labels), dLogits }
  const numbers = { batch, classes, smoothing: attrs.labelSmoothing, notANumber: NAN_BITS }
  if (dLogits) backend.dispatch(backwards[formOf(labels)](backend.device), ranges, numbers, batch)
  return gradients.all()
})
