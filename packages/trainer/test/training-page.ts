/** The page of the tests: it starts runs, looks at what they left, and never computes. */
import { disk } from '@vitral/core/files'
import { type Dataset, imageBlobs, memoryDataset } from '@vitral/datasets'
import type { Recipe, StepReport, TrainingResult } from '../src/index.ts'
import {
  type FineTuneRequest,
  hasRun,
  keepImages,
  keptImages,
  removeRun,
  type StartReport,
  trainInWorker,
  zipFolder,
} from '../src/subpaths/browser.ts'
import { cifarDataset } from './cifar-sample.ts'

export interface PageRun {
  recipe: Recipe | FineTuneRequest
  out: string
  /** Images of the sample; or of 'colours', files that the page draws; 'kept' are those, kept by an earlier tab. */
  images: number | 'colours' | 'kept' | 'one class'
  resume?: boolean
  workers?: number
  /** Steps between checkpoints. */
  checkpointEvery?: number
  /** Checkpoints after which the next hangs. */
  hangs?: number
  /** Holds the run after this step. */
  pauseAt?: number
  backend?: 'cpu' | 'wasm'
}

export interface PageState {
  started?: StartReport
  steps: StepReport[]
  evaluations: number
  warnings: string[]
  hangs: boolean
  result?: TrainingResult
  error?: string
}

const runs: Record<string, PageState & { stop(): void; resume(): void }> = {}

async function sample(count: number): Promise<Dataset> {
  const response = await fetch('/cifar/data_batch_1.bin')
  return cifarDataset(new Uint8Array(await response.arrayBuffer()), count)
}

/** Twelve small files a class, of one colour each. */
async function colours(): Promise<Record<string, File[]>> {
  const draw = async (name: string, red: number, blue: number): Promise<File> => {
    const canvas = new OffscreenCanvas(40, 40)
    const context = canvas.getContext('2d') as OffscreenCanvasRenderingContext2D
    context.fillStyle = `rgb(${red} 20 ${blue})`
    context.fillRect(0, 0, 40, 40)
    return new File([await canvas.convertToBlob()], `${name}.png`)
  }
  const files = (red: number, blue: number) =>
    Promise.all(Array.from({ length: 12 }, (_, i) => draw(`image-${i}`, red + i, blue + i)))
  return { red: await files(200, 10), blue: await files(10, 200) }
}

const keptFolder = 'images/colours'

const keep = async (): Promise<number> => (await keepImages(keptFolder, await colours())).length

async function kept(): Promise<Dataset> {
  const data = await keptImages(keptFolder)
  if (!data) throw new Error(`${keptFolder} has no images.`)
  return data
}

const oneClass = (): Promise<Dataset> =>
  memoryDataset(
    Array.from({ length: 8 }, () => ({
      image: { data: new Uint8Array(3072), width: 32, height: 32, channels: 3 },
      label: 0,
    })),
    ['only'],
  )

function dataOf(images: PageRun['images']): Promise<Dataset> {
  if (images === 'colours') return colours().then(imageBlobs)
  if (images === 'kept') return kept()
  return images === 'one class' ? oneClass() : sample(images)
}

async function start({ images, checkpointEvery, hangs, pauseAt, backend = 'cpu', ...options }: PageRun): Promise<void> {
  const data = await dataOf(images)
  const worker = new Worker(`/training-worker.js${hangs === undefined ? '' : `?hangs=${hangs}`}`, { type: 'module' })
  const state: PageState = { steps: [], evaluations: 0, warnings: [], hangs: false }
  worker.addEventListener('message', event => {
    if ('hangs' in event.data) state.hangs = true
  })
  const training = trainInWorker(worker, {
    ...{ ...options, data, backend },
    ...(checkpointEvery !== undefined && { checkpoints: { every: { steps: checkpointEvery } } }),
    onStart(report) {
      state.started = report
    },
    onStep(report) {
      state.steps.push(report)
      if (report.step === pauseAt) training.pause()
    },
    onEpoch: () => void state.evaluations++,
    onWarning: reason => void state.warnings.push(reason),
  })
  runs[options.out] = Object.assign(state, { stop: training.stop, resume: training.resume })
  training.done
    .then(
      result => {
        state.result = result
      },
      (error: Error) => {
        state.error = error.message
      },
    )
    .finally(() => worker.terminate())
}

const state = (out: string): PageState | undefined => {
  const { stop, resume, ...rest } = runs[out] ?? {
    stop() {},
    resume() {},
    steps: [],
    evaluations: 0,
    warnings: [],
    hangs: false,
  }
  return rest
}

const hex = (bytes: ArrayBuffer): string =>
  Array.from(new Uint8Array(bytes), byte => byte.toString(16).padStart(2, '0')).join('')

/** What a run ends with: checksums of its models' weights and of its last checkpoint, and the files that there are. */
async function ending(out: string): Promise<Record<string, string>> {
  const paths = await disk.files(out)
  const sums: Record<string, string> = {}
  for (const path of paths.filter(path => path.endsWith('.safetensors') && !path.startsWith('checkpoints/'))) {
    const file = await disk.open(disk.join(out, path))
    const bytes = new Uint8Array(file.size)
    await file.read(bytes, 0)
    sums[path] = hex(await crypto.subtle.digest('SHA-256', bytes))
  }
  return { ...sums, files: paths.map(path => path.replace(/step-\d+/, 'step')).join(' ') }
}

/** Losses that the log of a run has, by step. */
async function loggedLosses(out: string): Promise<[step: number, loss: number][]> {
  const lines = (await disk.readText(disk.join(out, 'metrics.jsonl'))).trim().split('\n')
  const entries = lines.map(line => JSON.parse(line) as { event: string; step: number; loss: number })
  return entries.filter(({ event }) => event === 'step').map(({ step, loss }) => [step, loss])
}

async function zipped(folder: string, name: string): Promise<number[]> {
  return [...new Uint8Array(await (await zipFolder(folder, { name })).arrayBuffer())]
}

const training = {
  start,
  state,
  stop: (out: string) => runs[out]?.stop(),
  resume: (out: string) => runs[out]?.resume(),
  ending,
  loggedLosses,
  zipped,
  keep,
  keptIn: async (folder: string) => (await keptImages(folder))?.length,
  hasRun,
  removeRun,
  readText: disk.readText,
}

export type PageTraining = typeof training

Object.assign(globalThis, { training })
