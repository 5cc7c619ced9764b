/** `vitral export`: a model folder for others: merged, with smaller weights, in files of a size. */

import { existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { AutoModel, AutoModelForImageClassification, useBackend, ViTImageProcessor } from '@vitral/core'
import { weightDtypes } from '@vitral/core/files'
import { jsonLine } from '@vitral/core/text'
import { count } from '../format.ts'
import { type Command, defineCommand, print } from './command.ts'
import { fetchModel } from './download.ts'
import { hasClassifier } from './has-classifier.ts'
import { choice, parsed, required, text } from './options.ts'
import { createProgress } from './progress.ts'

const units: Readonly<Record<string, number>> = { '': 1, KB: 1e3, MB: 1e6, GB: 1e9 }

const options = {
  model: required({ value: 'FOLDER', help: 'a model folder, or a hub id' }),
  adapters: text({
    value: 'FOLDER',
    help: "LoRA adapters to merge into its weights: a run's adapters/, a folder of Python's peft, or a hub id",
  }),
  out: required({ value: 'FOLDER', help: 'a new folder' }),
  dtype: choice(weightDtypes, { default: 'float32', help: 'of the weights in the file; 16 bits halve it' }),
  'max-shard-size': parsed(bytesOf, {
    ...{ value: 'N', default: '5GB' },
    help: 'beyond it the weights go into several files: bytes, or such as 500MB',
  }),
}

export const exportCommand: Command = defineCommand({
  summary: 'writes a model folder with smaller weights or merged adapters',
  usage: ['export --model FOLDER --out FOLDER'],
  about: "The folder opens in Vitral and in Python's transformers, or where it was timm's in timm.",
  json: '{out, dtype, parameters, files: [{name, bytes}]}',
  options,

  async run({ values }) {
    const { model: id, out, dtype, 'max-shard-size': maxShardBytes } = values
    if (existsSync(out) && readdirSync(out).length > 0)
      throw new Error(`${out} holds files already; choose another folder with --out.`)
    await useBackend('cpu')
    const folder = await fetchModel(id, createProgress())
    const kind = (await hasClassifier(folder)) ? AutoModelForImageClassification : AutoModel
    const model = await kind.fromPretrained(folder)
    if (values.adapters !== undefined) {
      await model.loadAdapters(values.adapters)
      model.mergeAdapters()
    }
    await model.savePretrained(out, { dtype, maxShardBytes })
    if (await ViTImageProcessor.isIn(folder)) await (await ViTImageProcessor.fromPretrained(folder)).savePretrained(out)
    const files = readdirSync(out).map(name => ({ name, bytes: statSync(join(out, name)).size }))
    const parameters = model.countParameters().total
    model.dispose()
    print(
      values.json
        ? jsonLine({ out, dtype, parameters, files })
        : [
            `${count(parameters)} parameters as ${dtype} in ${out}:`,
            ...files.map(({ name, bytes }) => `  ${name}  ${count(bytes)} bytes`),
          ].join('\n'),
    )
    return 0
  },
})

/** @throws unless it is a number above 0, perhaps with a unit */
function bytesOf(option: string, size: string): number {
  const [, number, unit] = /^(\d+(?:\.\d+)?)(KB|MB|GB)?$/.exec(size) ?? []
  const bytes = Number(number) * (units[unit ?? ''] as number)
  if (!(bytes > 0)) throw new Error(`${option} is '${size}'; expected bytes, or such as 500MB or 2GB.`)
  return bytes
}
