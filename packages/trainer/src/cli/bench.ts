/** `vitral bench`: how fast a model runs here, and where its time goes. */
import {
  AutoModelForImageClassification,
  type BackendName,
  configNames,
  namedConfig,
  useBackend,
  ViTForImageClassification,
} from '@vitral/core'
import { jsonLine, percent } from '@vitral/core/text'
import { type BenchOptions, type BenchResult, measure, profile } from '../bench/measure.ts'
import { profileRows, profileTable } from '../bench/profile-table.ts'
import { backendOption, type Command, defineCommand, precisionOption, print } from './command.ts'
import { flag, integer, repeated, text } from './options.ts'
import { createProgress } from './progress.ts'

const options = {
  model: text({
    default: 'vit-base-patch16-224',
    help: `a configuration (${configNames.slice(0, 3).join(', ')}, …), a model folder or a hub id`,
  }),
  batch: integer({ default: 1, help: 'images at a time' }),
  train: flag('a training step (forward, backward, Adam) instead of a forward pass'),
  ...precisionOption,
  backend: repeated({
    value: 'NAME',
    help: `${backendOption.backend.help} (${backendOption.backend.standard}); several are compared`,
  }),
  threads: integer({ help: 'of the backends native and wasm (all processors)' }),
  rounds: integer({ default: 10, help: 'measurements of each, after one that does not count' }),
  profile: flag('the time of each kernel, with its operations and bytes; on one backend, not webgpu'),
}

export const bench: Command = defineCommand({
  summary: 'measures how fast a model runs, and where its time goes',
  usage: ['bench [--model NAME|FOLDER]'],
  about: 'Measures a forward pass, or a training step, on each backend in turns, and prints medians.',
  json: '{model, batch, train, precision, peak, results: [{backend, milliseconds, imagesPerSecond, gflops, ratio, times}]}, or with --profile {…, milliseconds, rows}',
  options,

  async run({ values }) {
    const { threads } = values
    const backends: BackendName[] = []
    for (const name of values.backend ?? ['auto']) backends.push((await useBackend(name as 'auto', { threads })).name)
    const native = backends.includes('native') ? await import('@vitral/backend-node') : undefined
    if (threads !== undefined && !backends.some(name => name === 'native' || name === 'wasm'))
      throw new Error('--threads is for the backends native and wasm, which are not among those to measure.')
    const progress = createProgress()
    const { rounds, batch, train, precision } = values
    const given: BenchOptions = {
      createModel: await modelMaker(values.model),
      backends,
      ...{ batch, train, precision, rounds },
      onRound: (backend, round) => progress.update({ title: backend, done: round, total: rounds }),
    }
    const about = { model: values.model, batch, train, precision, peak: native?.measurePeak() }
    if (values.profile) {
      const [backend] = backends as [BackendName]
      if (backends.length > 1) throw new Error('--profile takes one backend.')
      if (backend === 'webgpu')
        throw new Error('--profile cannot be had on webgpu: its kernels have not finished when they return.')
      const { calls, milliseconds } = await profile({ ...given, backend })
      const rows = profileRows(calls, milliseconds, rounds)
      progress.end()
      print(
        values.json ? jsonLine({ ...about, backend, milliseconds: milliseconds / rounds, rows }) : profileTable(rows),
      )
      return 0
    }
    const results = await measure(given)
    progress.end()
    print(values.json ? jsonLine({ ...about, results }) : describe(about, results))
    return 0
  },
})

/** A configuration of this name, or else a folder or hub id. */
async function modelMaker(model: string): Promise<() => Promise<ViTForImageClassification>> {
  if (configNames.includes(model)) {
    const config = namedConfig(model)
    return async () => new ViTForImageClassification(config)
  }
  return () => AutoModelForImageClassification.fromPretrained(model)
}

function describe(
  {
    model,
    batch,
    train,
    precision,
    peak,
  }: { model: string; batch: number; train: boolean; precision: string; peak?: number },
  results: readonly BenchResult[],
): string {
  const work = train ? 'training step' : 'forward pass'
  const lines = results.map(({ backend, milliseconds, imagesPerSecond, gflops, ratio }) => {
    const share = peak && backend === 'native' ? `, ${percent(gflops / peak)} of the peak` : ''
    const compared = results.length > 1 ? `, ${ratio.toFixed(2)}×` : ''
    return `  ${backend.padEnd(10)} ${milliseconds.toFixed(2)} ms, ${imagesPerSecond.toFixed(1)} images/s, ${gflops.toFixed(1)} GFLOP/s${share}${compared}`
  })
  const limit = peak ? [`  the processor multiplies and adds ${peak.toFixed(0)} GFLOP/s in float32`] : []
  return [`${model}, ${work} of ${batch}, ${precision}:`, ...lines, ...limit].join('\n')
}
