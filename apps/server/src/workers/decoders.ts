/**
 * A pool of worker processes that decode image files to a model's size and channels, and lay attention over them. It works
 * on few images at a time, as a large one takes much memory.
 */
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import type { ImageGeometry } from '@vitral/core/image'
import { EngineError, type EngineOutput } from '../engine.ts'
import { bytesOf } from '../ipc/framing.ts'
import type { CallName, Calls } from './protocol.ts'
import { SupervisedWorker } from './supervised-worker.ts'
import { type Answer, WorkerProcess } from './worker-process.ts'

interface DecoderOptions {
  /** Processes that decode. */
  decoders: number
  maxPixels: number
  /** Longest time for one image, in whole seconds. */
  decodeTimeoutSeconds: number
  /** Milliseconds in which a process must start. */
  loadTimeout: number
  /** Milliseconds before the second restart in a row; doubled for each further one. */
  backoff: number
  onFailure(reason: string, failuresInARow: number): void
  signal?: AbortSignal
}

/** An image at a model's size. */
export interface DecodedImage {
  /** [height, width, channels] */
  pixels: Uint8Array
  width: number
  height: number
  /** Releases the memory of the pixels. */
  free(): void
}

/** The turn of an image that waits for a decoder. */
export interface Turn {
  /** Asked when the turn has come: whether the image is still wanted. */
  isWanted(): boolean
  /** Called when the work on the image begins. */
  begin?(): void
  /** Called when that work has ended. */
  end?(): void
}

const MODULE = fileURLToPath(new URL('./process/decoder.ts', import.meta.url))
/** Images that one process decodes at once: its codecs run in threads of their own. */
export const PER_PROCESS = Math.max(2, availableParallelism())
/** Milliseconds beyond the decoder's own time limit after which the process is taken to hang. */
const SLACK = 5000

/** The pool of decoders of one engine. */
export class Decoders {
  readonly #workers: SupervisedWorker[]
  readonly #limits: Omit<Calls['decode']['request'], 'geometry'>
  readonly #waiting: (() => void)[] = []
  #free: number
  #next = 0

  private constructor(workers: SupervisedWorker[], { maxPixels, decodeTimeoutSeconds }: DecoderOptions) {
    this.#workers = workers
    this.#limits = { maxPixels, timeoutSeconds: decodeTimeoutSeconds }
    this.#free = workers.length * PER_PROCESS
  }

  /** @throws EngineError when a process does not start */
  static async start(options: DecoderOptions): Promise<Decoders> {
    const start = (): Promise<WorkerProcess> =>
      WorkerProcess.start({ module: MODULE, timeout: options.loadTimeout, signal: options.signal })
    const first = await Promise.all(Array.from({ length: options.decoders }, start))
    return new Decoders(
      first.map(workerProcess => new SupervisedWorker(workerProcess, { start, ...options })),
      options,
    )
  }

  /**
   * Decodes an image file to a model's size.
   *
   * @returns undefined when the image was no longer wanted
   * @throws EngineError that says what is wrong with the image
   */
  async decode(image: Uint8Array, geometry: ImageGeometry, turn: Turn): Promise<DecodedImage | undefined> {
    return await this.#inTurn(turn, async () => {
      const { reply, body, free } = await this.#call('decode', { geometry, ...this.#limits }, [image])
      return { pixels: body, ...reply, free }
    })
  }

  /**
   * Lays attention over an image.
   *
   * @returns a PNG file; undefined when the image was no longer wanted
   * @throws EngineError that says what is wrong with the image
   */
  async draw(
    image: Uint8Array,
    { height, width, values }: NonNullable<EngineOutput['attention']>,
    geometry: ImageGeometry,
    turn: Turn,
  ): Promise<Uint8Array | undefined> {
    return await this.#inTurn(turn, async () => {
      const request = { geometry, height, width, ...this.#limits }
      return (await this.#call('draw', request, [bytesOf(values), image])).body
    })
  }

  /** Ids of the processes that run. */
  get processes(): number[] {
    return this.#workers.flatMap(worker => worker.pid ?? [])
  }

  async stop(): Promise<void> {
    await Promise.all(this.#workers.map(worker => worker.stop()))
  }

  async #inTurn<Result>(turn: Turn, work: () => Promise<Result>): Promise<Result | undefined> {
    if (this.#free > 0) this.#free--
    else await new Promise<void>(resolve => this.#waiting.push(resolve))
    try {
      return turn.isWanted() ? await this.#begun(turn, work) : undefined
    } finally {
      const next = this.#waiting.shift()
      if (next) next()
      else this.#free++
    }
  }

  async #begun<Result>({ begin, end }: Turn, work: () => Promise<Result>): Promise<Result> {
    begin?.()
    try {
      return await work()
    } finally {
      end?.()
    }
  }

  async #call<Name extends CallName>(
    name: Name,
    request: Calls[Name]['request'],
    bodies: readonly Uint8Array[],
  ): Promise<Answer<Name>> {
    const worker = this.#workers[this.#next++ % this.#workers.length] as SupervisedWorker
    const workerProcess = worker.failed ? undefined : await worker.ready()
    if (!workerProcess)
      throw new EngineError('worker_failed', 'The image decoders keep failing; try again.', { retryAfter: 5 })
    const answer = await workerProcess.call(name, request, bodies, this.#limits.timeoutSeconds * 1000 + SLACK)
    worker.recordSuccess()
    return answer
  }
}
