/** The worker's side of training from a page. */
import { useBackend } from '@vitral/core'
import { openSource } from '@vitral/datasets'
import type { OwnData } from '../data/validation-split.ts'
import { overrideRecipe } from '../recipe/recipe.ts'
import type { Recipe } from '../recipe/types.ts'
import { fineTuneRecipe } from '../recipes/fine-tune.ts'
import type { TrainingObserver } from '../run/events.ts'
import { startRun } from '../run/start-run.ts'
import type { FineTuneRequest, FromWorker, PageReports, SentRun, ToWorker } from './messages.ts'
import { Pause } from './pause.ts'

interface WorkerScope {
  postMessage(message: FromWorker): void
  addEventListener(type: 'message', listener: (event: MessageEvent<ToWorker>) => void): void
}

/** Settings of `serveTraining`. */
export interface ServeTrainingOptions {
  /** Called before a run starts its backend, such as to say where the files of one are. */
  prepare?: () => void | Promise<void>
}

/**
 * Makes the worker that calls it one that trains what `trainInWorker` asks for. Call it in the worker's module, at once.
 *
 * @example
 * // train.worker.ts, all of it
 * import { serveTraining } from '@vitral/trainer/worker'
 * serveTraining()
 */
export function serveTraining({ prepare }: ServeTrainingOptions = {}): void {
  const scope = globalThis as unknown as WorkerScope
  const pause = new Pause()
  let stop: AbortController | undefined
  const orders = {
    pause: () => pause.begin(),
    resume: () => pause.end(),
    stop: () => {
      stop?.abort()
      pause.end()
    },
  }
  scope.addEventListener('message', async ({ data }) => {
    if ('order' in data) return orders[data.order]()
    if (!('start' in data)) return
    stop = new AbortController()
    pause.end()
    try {
      await prepare?.()
      scope.postMessage({ result: await trainRun(data.start, { scope, pause, signal: stop.signal }) })
    } catch (error) {
      const { name, message, stack } = error instanceof Error ? error : new Error(String(error))
      scope.postMessage({ error: { name, message, stack } })
    }
  })
}

interface Surroundings {
  scope: WorkerScope
  pause: Pause
  signal: AbortSignal
}

async function trainRun({ backend, skipBroken, ...options }: SentRun, { scope, pause, signal }: Surroundings) {
  const tell = <E extends keyof PageReports>(event: E, report: PageReports[E]): void =>
    scope.postMessage({ event, report } as FromWorker)
  const warn = (reason: string): void => tell('onWarning', reason)
  const chosen = await useBackend(backend)
  const data = await openData(options.data)
  const recipe = await recipeOf(options.recipe, data)
  const run = await startRun({
    ...{ ...options, recipe, data },
    onDamaged: warn,
    ...(skipBroken && { onSkipped: warn }),
    observers: [observer(tell, pause)],
  })
  const { trainer, parameters } = run
  try {
    const { labels, trainImages, evaluationImages, stepsPerEpoch, understood = [] } = run.data
    const { epochs } = recipe
    const { step } = trainer.position
    const known = { labels, trainImages, evaluationImages, epochs, stepsPerEpoch, step, parameters }
    tell('onStart', { backend: chosen, ...known, notes: understood })
    return await trainer.train(signal)
  } finally {
    await trainer.close()
    run.model.dispose()
  }
}

async function openData({ train, validation, test }: SentRun['data']): Promise<OwnData> {
  return {
    train: await openSource(train),
    ...(validation && { validation: await openSource(validation) }),
    ...(test && { test: await openSource(test) }),
  }
}

async function recipeOf(recipe: SentRun['recipe'], data: OwnData): Promise<Recipe> {
  if (typeof recipe.model === 'object') return recipe as Recipe
  const { set = [], ...options } = recipe as FineTuneRequest
  return overrideRecipe(await fineTuneRecipe({ ...options, data }), set)
}

/** Tells the page, which waits for nothing; the run waits while it is held. */
function observer(
  tell: <E extends keyof PageReports>(event: E, report: PageReports[E]) => void,
  pause: Pause,
): TrainingObserver {
  return {
    onStep(report) {
      tell('onStep', report)
      return pause.over()
    },
    onEvaluationBatch: done => tell('onEvaluationBatch', done),
    onEpoch: ({ examples, ...report }) => tell('onEpoch', report),
    onEvaluation: ({ examples, ...report }) => tell('onEvaluation', report),
    onTestBatch: done => tell('onTestBatch', done),
    onTest: ({ examples, ...report }) => tell('onTest', report),
  }
}
