/** Weights that are not those of the configuration: each refusal is a few lines, and comes before anything is made. */
import { beforeAll, expect, spyOn, test } from 'bun:test'
import { cpSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { modelFolder } from '../../../test/model-folder.ts'
import { useBackend } from '../../backend.ts'
import { readModelConfig } from '../../files/read-model-config.ts'
import { ViTForImageClassification } from '../classifier.ts'

const { folder, fixture, weightsPath, change, editConfig, renamed } = modelFolder()

beforeAll(() => useBackend('cpu'))

test('fromPretrained cuts long lists of misfit tensors, a line for each kind', async () => {
  await change(tensors => renamed(tensors, name => (/layer\.[12]\./.test(name) ? name.replace('vit.', 'vot.') : name)))
  const lines = await ViTForImageClassification.fromPretrained(folder).then(
    () => [],
    (error: Error) => error.message.split('\n'),
  )
  expect(lines).toEqual([
    `The weights in ${folder} have 1 layers, but num_hidden_layers is 3; expected the same number.`,
  ])
  await change(tensors =>
    renamed(tensors, name => name.replace('vot.', 'vit.').replace('attention.output.', 'attention.out.')),
  )
  await expect(ViTForImageClassification.fromPretrained(folder)).rejects.toThrow(
    /layer\.2\.attention\.output\.dense\.weight is missing\n {2}1 more are missing\n {2}vit.*\.out\.dense.*\n.*\n.*\n.*\n.*\n {2}1 more are unknown to the model$/,
  )
})

test("fromPretrained recognises timm's folders, and weights under other names", async () => {
  await change(tensors =>
    renamed(tensors, name => name.replace('vit.encoder.layer', 'blocks').replace(/^(vit|classifier)\./, 'model.')),
  )
  await expect(ViTForImageClassification.fromPretrained(folder)).rejects.toThrow(
    /^The weights in .* are not named as transformers names those of a vit model: blocks\.0\..* and 53 more; expected vit\.encoder\.layer\.0 and so on\. The names are those of timm, whose config\.json has an architecture\.$/,
  )
  writeFileSync(join(folder, 'config.json'), JSON.stringify({ architecture: 'resnet50', pretrained_cfg: {} }))
  await expect(ViTForImageClassification.fromPretrained(folder)).rejects.toThrow(
    `config.json describes "resnet50", a model of timm's whose blocks are not a ViT's; Vitral reads its vit_,`,
  )
})

test('the warning of newly initialized weights tells other shapes from missing tensors', async () => {
  const warn = spyOn(console, 'warn').mockImplementation(() => {})
  const load = () => ViTForImageClassification.fromPretrained(folder, { numLabels: 3, ignoreMismatchedSizes: true })
  await load()
  await change(tensors => {
    tensors.delete('classifier.weight')
    tensors.delete('classifier.bias')
  })
  await load()
  expect(warn.mock.calls.flat()).toEqual([
    `Some weights are newly initialized and have to be trained; of another shape in ${folder}: classifier.weight ([10,48] there, [3,48] in the model), classifier.bias ([10] there, [3] in the model).`,
    `Some weights are newly initialized and have to be trained; not in ${folder}: classifier.weight, classifier.bias.`,
  ])
  warn.mockRestore()
})

test("fromPretrained compares a configuration's counts with the weights' headers first", async () => {
  const refused = async (fields: object, message: string) => {
    cpSync(fixture, folder, { recursive: true })
    editConfig(config => Object.assign(config, fields))
    await expect(ViTForImageClassification.fromPretrained(folder)).rejects.toThrow(message)
    await expect(readModelConfig(folder)).rejects.toThrow(message)
  }
  await refused({ num_hidden_layers: 1e6 }, 'have 3 layers, but num_hidden_layers is 1000000; expected the same number')
  const anonymous = { id2label: null, label2id: null }
  await refused({ ...anonymous, num_labels: 1e7 }, 'have a classifier of 10 classes, but num_labels is 10000000')
  const many = Object.fromEntries(Array.from({ length: 200_000 }, (_, i) => [i, `class number ${i}`]))
  await refused({ id2label: many }, 'bytes; expected at most 4204544')
})

test('fromPretrained reports a damaged header as damage, not as another model', async () => {
  await (await ViTForImageClassification.fromPretrained(folder)).savePretrained(folder)
  const bytes = readFileSync(weightsPath())
  const at = bytes.indexOf('vit.layernorm.weight')
  writeFileSync(weightsPath(), bytes.with(at + 4, 'x'.charCodeAt(0)))
  await expect(ViTForImageClassification.fromPretrained(folder)).rejects.toThrow(
    `${weightsPath()} is damaged: its content does not match its checksum.`,
  )
})

test('a folder without safetensors says what it has instead', async () => {
  rmSync(weightsPath())
  await expect(ViTForImageClassification.fromPretrained(folder)).rejects.toThrow(
    `${folder} has neither model.safetensors nor model.safetensors.index.json; expected the weights`,
  )
  writeFileSync(join(folder, 'tf_model.h5'), '')
  await expect(ViTForImageClassification.fromPretrained(folder)).rejects.toThrow(
    'nor model.safetensors.index.json, but tf_model.h5; convert it in Python',
  )
  renameSync(join(folder, 'config.json'), join(folder, 'adapter_config.json'))
  await expect(ViTForImageClassification.fromPretrained(folder)).rejects.toThrow('and it holds adapters alone')
})
