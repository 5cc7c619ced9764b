/**
 * The family of ViTs against timm's own code in float64, whose weights were renamed to Hugging Face's names: one suite that
 * each backend's test runs over test/fixtures/family.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Tensor, type Tensor4D, tensor4d } from '@tensorflow/tfjs-core'
import { AutoModel, AutoModelForImageClassification } from '@vitral/core'

export const familyFolder: string = join(import.meta.dirname, 'fixtures/family')

/** The folders, with whether the model has a classifier. */
export const familyFixtures: Readonly<Record<string, boolean>> = {
  'deit-distilled': true,
  dinov2: true,
  'dinov2-registers': true,
  'dinov2-swiglu': true,
  dinov3: false,
  'dinov3-gated': false,
  'clip-vision': false,
  'siglip-vision': false,
  beit: true,
  ijepa: true,
  'timm-vit': true,
  'timm-vit-gap': true,
  'timm-deit3': true,
  'timm-reg4-gap': true,
}

/** The images of a fixture, [2, 3, h, w]. */
export function familyImages(fixture: string): Tensor4D {
  const { x } = shapesOf(fixture)
  return tensor4d(new Float32Array(bytes(fixture, 'x.f32')), x as [number, number, number, number])
}

/** Registers the tests. The bound is of the tensor's largest magnitude: float32 sums of 192 products, through three layers. */
export function familySuite(test: (name: string, run: () => Promise<void>) => void): void {
  for (const [fixture, hasClassifier] of Object.entries(familyFixtures)) {
    test(`${fixture}: hidden states and pooled features are timm's`, async () => {
      const model = await AutoModel.fromPretrained(join(familyFolder, fixture))
      const images = familyImages(fixture)
      const output = model.forward(images)
      await expectClose(output.lastHiddenState, fixture, fixture.startsWith('timm-') ? 'features' : 'last_hidden_state')
      for (const [tensor, name] of [
        [output.poolerOutput, 'pooler_output'],
        [output.imageEmbeds, 'image_embeds'],
      ] as const)
        if (name in shapesOf(fixture)) await expectClose(tensor as Tensor, fixture, name)
      for (const tensor of [images, output.poolerOutput, output.imageEmbeds]) tensor?.dispose()
      model.dispose()
    })

    if (hasClassifier)
      test(`${fixture}: logits are timm's`, async () => {
        const model = await AutoModelForImageClassification.fromPretrained(join(familyFolder, fixture))
        const images = familyImages(fixture)
        await expectClose(model.forward(images).logits, fixture, 'logits')
        images.dispose()
        model.dispose()
      })
  }
}

async function expectClose(actual: Tensor, fixture: string, name: string): Promise<void> {
  const shape = shapesOf(fixture)[name] as number[]
  const expected = new Float64Array(bytes(fixture, `${name}.f64`))
  const values = await actual.data()
  if (actual.shape.join() !== shape.join()) throw new Error(`${name} is [${actual.shape}]; expected [${shape}].`)
  actual.dispose()
  const largest = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0)
  const worst = expected.reduce((most, value, i) => Math.max(most, Math.abs(value - (values[i] as number))), 0)
  if (!(worst <= 2e-5 * largest)) throw new Error(`${name} is off by ${worst} of ${largest}.`)
}

const shapesOf = (fixture: string): Record<string, number[]> =>
  JSON.parse(readFileSync(join(familyFolder, fixture, 'expected.json'), 'utf8'))

function bytes(fixture: string, file: string): ArrayBuffer {
  const { buffer, byteOffset, byteLength } = readFileSync(join(familyFolder, fixture, file))
  return buffer.slice(byteOffset, byteOffset + byteLength) as ArrayBuffer
}
