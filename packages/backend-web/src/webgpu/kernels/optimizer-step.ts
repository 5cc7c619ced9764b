/** A step of Adam, AdamW, SGD or Lion over all parameters, in place. */
import type { AdamAttributes, LionAttributes, SgdAttributes } from '@vitral/core/kernels'
import { type IndexedInputs, indexedInputs, sizeOf } from '@vitral/core/kernels/arguments'
import { kernel, type WebgpuKernel } from '../kernel.ts'
import { dispatchOverLists, listProgram } from '../tensor-list.ts'

const gradientConstants = {
  gradientScale: 'f32',
  gradientLimit: 'f32',
  limits: 'u32',
  shrink: 'f32',
  l2: 'f32',
} as const

// The gradient after its factor and its limit; NaN stays NaN.
const limited = `
fn limited(gradient: vec4<f32>) -> vec4<f32> {
  if (constants.limits == 0u) { return gradient; }
  let limit = vec4(constants.gradientLimit);
  return select(select(gradient, -limit, gradient < -limit), limit, gradient > limit);
}`

const adam = listProgram({
  name: 'adamStep',
  roles: ['parameter', 'gradient', 'first', 'second'],
  constants: {
    ...gradientConstants,
    beta1: 'f32',
    keep1: 'f32',
    beta2: 'f32',
    keep2: 'f32',
    eps: 'f32',
    rate: 'f32',
    rootScale: 'f32',
  },
  declarations: limited,
  each: (read, write) => `
    let parameter = ${read('parameter')};
    let gradient = limited(${read('gradient')} * constants.gradientScale) + parameter * constants.l2;
    let first = ${read('first')} * constants.beta1 + gradient * constants.keep1;
    let second = ${read('second')} * constants.beta2 + gradient * gradient * constants.keep2;
    ${write('first', 'first')}
    ${write('second', 'second')}
    let change = constants.rate * (first / (sqrt(second) * constants.rootScale + constants.eps));
    ${write('parameter', 'parameter * constants.shrink - change')}`,
})

const lion = listProgram({
  name: 'lionStep',
  roles: ['parameter', 'gradient', 'average'],
  constants: { ...gradientConstants, beta1: 'f32', keep1: 'f32', beta2: 'f32', keep2: 'f32', lr: 'f32' },
  declarations: limited,
  each: (read, write) => `
    let gradient = limited(${read('gradient')} * constants.gradientScale);
    let average = ${read('average')};
    let direction = sign(average * constants.beta1 + gradient * constants.keep1);
    ${write('average', 'average * constants.beta2 + gradient * constants.keep2')}
    ${write('parameter', `${read('parameter')} * constants.shrink - direction * constants.lr`)}`,
})

const sgd = listProgram({
  name: 'sgdStep',
  roles: ['parameter', 'gradient'],
  constants: { ...gradientConstants, lr: 'f32' },
  declarations: limited,
  each: (read, write) => `
    let parameter = ${read('parameter')};
    let gradient = limited(${read('gradient')} * constants.gradientScale) + parameter * constants.l2;
    ${write('parameter', 'parameter - gradient * constants.lr')}`,
})

const sgdMomentum = listProgram({
  name: 'sgdMomentumStep',
  roles: ['parameter', 'gradient', 'velocity'],
  constants: { ...gradientConstants, lr: 'f32', momentum: 'f32', kept: 'f32', nesterov: 'u32' },
  declarations: limited,
  each: (read, write) => `
    let parameter = ${read('parameter')};
    let gradient = limited(${read('gradient')} * constants.gradientScale) + parameter * constants.l2;
    let velocity = ${read('velocity')} * constants.kept + gradient;
    ${write('velocity', 'velocity')}
    let change = select(velocity, gradient + velocity * constants.momentum, constants.nesterov != 0u);
    ${write('parameter', 'parameter - change * constants.lr')}`,
})

export const optimizerStep: WebgpuKernel = kernel<IndexedInputs, AdamAttributes | SgdAttributes | LionAttributes>(
  'VitralOptimizerStep',
  (backend, inputs, attrs) => {
    const { count, slots, lr, weightDecay, gradientScale } = attrs
    const rangesInPlace = (prefix: string) =>
      indexedInputs(inputs, prefix, count).map(tensor => backend.rangeInPlace(tensor))
    const gradients = indexedInputs(inputs, 'g', count)
    const sizes = gradients.map(sizeOf)
    const gradient = gradients.map(tensor => backend.range(tensor))
    const parameter = rangesInPlace('p')
    const [first = [], second = []] = Array.from({ length: slots }, (_, slot) => rangesInPlace(`s${slot}_`))
    const limits = attrs.gradientLimit < Number.POSITIVE_INFINITY
    const gradientLimit = limits ? attrs.gradientLimit : 0
    const factors = { gradientScale, gradientLimit, limits: Number(limits), lr }
    const decoupled = { shrink: 1 - lr * weightDecay, l2: 0 }
    const coupled = { shrink: 1, l2: weightDecay }
    if (attrs.algorithm === 'adam') {
      const { step, beta1, beta2, eps } = attrs
      const averages = { beta1, keep1: 1 - beta1, beta2, keep2: 1 - beta2, eps }
      const corrections = { rate: lr / (1 - beta1 ** step), rootScale: (1 - beta2 ** step) ** -0.5 }
      const decay = attrs.decoupled ? decoupled : coupled
      const lists = { parameter, gradient, first, second }
      dispatchOverLists(backend, adam, lists, sizes, { ...factors, ...decay, ...averages, ...corrections })
    } else if (attrs.algorithm === 'lion') {
      const { beta1, beta2 } = attrs
      const averages = { beta1, keep1: 1 - beta1, beta2, keep2: 1 - beta2 }
      dispatchOverLists(backend, lion, { parameter, gradient, average: first }, sizes, {
        ...factors,
        ...decoupled,
        ...averages,
      })
    } else if (slots === 0) {
      dispatchOverLists(backend, sgd, { parameter, gradient }, sizes, { ...factors, ...coupled })
    } else {
      const { step, momentum, nesterov } = attrs
      const kept = step === 1 ? 0 : momentum // the first velocity is the gradient itself
      const velocity = { momentum, kept, nesterov: Number(nesterov) }
      const lists = { parameter, gradient, velocity: first }
      dispatchOverLists(backend, sgdMomentum, lists, sizes, { ...factors, ...coupled, ...velocity })
    }
    return []
  },
)
