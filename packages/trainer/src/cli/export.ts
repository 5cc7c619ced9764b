/** `vitral export`: a model folder for others: merged, with smaller weights, in files of a size. */

import { existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { useBackend, ViTForImageClassification, ViTImageProcessor } from '@vitral/core'
import { type WeightDtype, weightDtypes } from '@vitral/core/files'
import { jsonLine } from '@vitral/core/text'
import { count } from '../format.ts'
import { type Command, parse, print, required } from './command.ts'
import { fetchModel } from './download.ts'
import { createProgress } from './progress.ts'

const options = {
  model: { type: 'string' },
  adapters: { type: 'string' },
  out: { type: 'string' },
  dtype: { type: 'string', default: 'float32' },
  'max-shard-size': { type: 'string', default: '5GB' },
  json: { type: 'boolean', default: false },
} as const

export const exportCommand: Command = {
  summary: 'writes a model folder with smaller weights or merged adapters',
  help: `Usage: vitral export --model FOLDER --out FOLDER [OPTIONS]

The folder opens in Vitral, in transformers.js and in Python's transformers.

  --model FOLDER     a model folder, or a hub id
  --adapters FOLDER  LoRA adapters to merge into its weights, as a run's adapters/ or Python's peft has them
  --out FOLDER       a new folder
  --dtype NAME       ${weightDtypes.join(', ')}: of the weights in the file; a half halves it (float32)
  --max-shard-size N beyond it the weights go into several files: bytes, or such as 500MB (5GB)
  --json             {out, dtype, parameters, files: [{name, bytes}]}
  --help             this text`,

  async run(args) {
    const { values } = parse(args, options)
    const id = required(values.model, '--model')
    const out = required(values.out, '--out')
    const dtype = values.dtype as WeightDtype
    if (!weightDtypes.includes(dtype))
      throw new Error(`--dtype is '${dtype}'; expected one of ${weightDtypes.join(', ')}.`)
    const maxShardBytes = bytesOf(values['max-shard-size'])
    if (existsSync(out) && readdirSync(out).length > 0)
      throw new Error(`${out} holds files already; choose another folder with --out.`)
    await useBackend('cpu')
    const folder = await fetchModel(id, createProgress())
    const model = await ViTForImageClassification.fromPretrained(folder)
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
}

const units = { '': 1, KB: 1e3, MB: 1e6, GB: 1e9 } as const

/** @throws unless it is a number above 0, perhaps with a unit */
function bytesOf(size: string): number {
  const [, number, unit] = /^(\d+(?:\.\d+)?)(KB|MB|GB)?$/.exec(size) ?? []
  const bytes = Number(number) * units[(unit ?? '') as keyof typeof units]
  if (!(bytes > 0)) throw new Error(`--max-shard-size is '${size}'; expected bytes, or such as 500MB or 2GB.`)
  return bytes
}
