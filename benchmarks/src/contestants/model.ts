/** Vitral's model as a contestant's work, on whichever tfjs backend is current. */
import { type Tensor, type Tensor4D, tensor4d } from '@tensorflow/tfjs-core'
import { autocast, type ComputeDtype, ViTForImageClassification } from '@vitral/core'
import { readSafetensors } from '@vitral/core/files'
import { createOptimizer } from '@vitral/trainer'
import type { ContestantOptions } from '../protocol.ts'
import type { Work } from './work.ts'

export async function modelWork(
  title: string,
  options: ContestantOptions,
  precision: ComputeDtype = 'float32',
): Promise<Work> {
  const model = await ViTForImageClassification.fromPretrained(options.modelFolder)
  const { tensors } = await readSafetensors(options.inputs)
  const pixels = tensors.get('pixel_values')
  const labels = tensors.get('labels')?.data as Int32Array
  const pixelValues: Tensor4D = tensor4d(
    pixels?.data as Float32Array,
    pixels?.shape as [number, number, number, number],
  )

  const computed = <T>(run: () => T): T => (precision === 'float32' ? run() : autocast({ dtype: precision }, run))
  const logits = () => read(computed(() => model.forward(pixelValues)).logits)
  const infer = async () => {
    await logits()
    return {}
  }
  if (options.task === 'inference') return { title, logits, run: infer }

  const optimizer = createOptimizer('adam', model.parameters(), { lr: options.learningRate })
  const train = async () => {
    const step = computed(() => model.valueAndGrads(pixelValues, labels))
    optimizer.step(step.grads)
    for (const gradient of Object.values(step.grads)) gradient.dispose()
    step.logits.dispose()
    const [loss] = await read(step.loss)
    return { loss }
  }
  return { title, logits, run: train }
}

async function read(tensor: Tensor): Promise<Float32Array> {
  const values = (await tensor.data()) as Float32Array
  tensor.dispose()
  return values
}
