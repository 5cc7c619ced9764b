/**
 * A process of the server, and the calls to it. Native code runs there: when it crashes or hangs, a process ends and not
 * the server.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { withAllocatorSettings } from '../allocator-settings.ts'
import { EngineError, type EngineErrorCode } from '../engine.ts'
import { FrameLink } from '../ipc/frame-link.ts'
import type { Frame, Header } from '../ipc/framing.ts'

interface WorkerProcessOptions {
  /** Path of the module it runs. */
  module: string
  /** Milliseconds until it has connected. */
  timeout: number
  /** Aborted when the engine is over: nothing that is loaded or computed is waited for. */
  signal?: AbortSignal
}

interface Call {
  resolve(frame: Frame): void
  reject(error: EngineError): void
  timer: ReturnType<typeof setTimeout>
}

/** Milliseconds that a process has to end by itself once its socket is closed. */
const GRACE = 1000

export class WorkerProcess {
  /** Why it is no more; undefined while it runs. */
  ended: string | undefined
  readonly pid: number
  readonly #ending = Promise.withResolvers<string>()
  readonly #process: Bun.Subprocess
  readonly #link: FrameLink
  readonly #calls = new Map<number, Call>()
  #nextId = 0

  private constructor(subprocess: Bun.Subprocess, link: FrameLink) {
    this.#process = subprocess
    this.#link = link
    this.pid = subprocess.pid
    void subprocess.exited.then(() => this.#end(exitReason(subprocess)))
  }

  /** Resolved with why, when it can no longer be called. */
  get exited(): Promise<string> {
    return this.#ending.promise
  }

  /** @throws EngineError 'worker_failed' when the process ends or is not there in time */
  static async start(options: WorkerProcessOptions): Promise<WorkerProcess> {
    if (options.signal?.aborted) throw new EngineError('draining', 'The server goes down.')
    // A folder that no other user may enter, there until the process has connected: a server that is killed leaves none, and one
    // that runs for weeks has none that a system may clear away.
    const folder = await mkdtemp(join(tmpdir(), 'vitral-'))
    try {
      return await WorkerProcess.#connected(join(folder, 'socket'), options)
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  }

  static async #connected(path: string, { module, timeout, signal }: WorkerProcessOptions): Promise<WorkerProcess> {
    const connected = Promise.withResolvers<void>()
    let workerProcess: WorkerProcess | undefined
    const settle = (frame: Frame): void => {
      if (workerProcess) workerProcess.#settle(frame)
    }
    const link = new FrameLink({
      onOpen: connected.resolve,
      onFrame: settle,
      // One that ends closes its socket, and says why a moment later by its exit status.
      onClose: () => setTimeout(() => workerProcess?.kill('its socket closed'), GRACE).unref(),
    })
    const listener = Bun.listen({ unix: path, socket: link.handlers })
    const subprocess = Bun.spawn([process.execPath, module, path], {
      env: withAllocatorSettings(process.env),
      stdin: 'ignore',
      stdout: 'ignore',
      stderr: 'inherit',
    })
    const abort = (): void => (workerProcess ? workerProcess.kill('the server goes down') : subprocess.kill('SIGKILL'))
    signal?.addEventListener('abort', abort)
    void subprocess.exited.then(() => signal?.removeEventListener('abort', abort))
    const timer = setTimeout(() => {
      subprocess.kill('SIGKILL')
      connected.reject(new EngineError('worker_failed', `A process did not start within ${timeout} ms.`))
    }, timeout)
    void subprocess.exited.then(() =>
      connected.reject(new EngineError('worker_failed', `A process did not start: ${exitReason(subprocess)}.`)),
    )
    try {
      await connected.promise
      workerProcess = new WorkerProcess(subprocess, link)
      return workerProcess
    } finally {
      clearTimeout(timer)
      listener.stop()
    }
  }

  /**
   * @param timeout milliseconds; a process that has not answered by then hangs, and is killed
   * @throws EngineError what the process says, or 'worker_failed' when it ends before it answers
   */
  async call(name: string, header: Header, bodies: readonly Uint8Array[], timeout: number): Promise<Frame> {
    if (this.ended) throw this.#failure()
    const id = this.#nextId++
    return await new Promise<Frame>((resolve, reject) => {
      const timer = setTimeout(() => this.kill(`it did not answer within ${timeout} ms`), timeout)
      this.#calls.set(id, { resolve, reject, timer })
      this.#link.write({ ...header, id, call: name }, bodies)
    })
  }

  /** Ends it at once; its calls fail. */
  kill(reason: string): void {
    this.#end(reason)
    if (this.#process.exitCode === null) this.#process.kill('SIGKILL')
  }

  /** Lets it end by itself, which it does when it has answered the call that it is at. */
  async stop(): Promise<void> {
    this.#link.end()
    const timer = setTimeout(() => this.kill('it did not end by itself'), GRACE)
    await this.#process.exited
    clearTimeout(timer)
  }

  #settle(frame: Frame): void {
    const { header } = frame
    const call = this.#calls.get(header.id as number)
    if (!call) return
    this.#calls.delete(header.id as number)
    clearTimeout(call.timer)
    const error = header.error as { code?: EngineErrorCode; message: string } | undefined
    if (error) call.reject(new EngineError(error.code ?? 'model_failed', error.message))
    else call.resolve(frame)
  }

  #end(reason: string): void {
    if (this.ended) return
    this.ended = reason
    this.#link.destroy()
    for (const { reject, timer } of this.#calls.values()) {
      clearTimeout(timer)
      reject(this.#failure())
    }
    this.#calls.clear()
    this.#ending.resolve(reason)
  }

  #failure(): EngineError {
    return new EngineError('worker_failed', `The process that computed this ended: ${this.ended}.`, { retryAfter: 1 })
  }
}

const exitReason = ({ signalCode, exitCode }: Bun.Subprocess): string =>
  signalCode ? `it was ended by ${signalCode}` : `it exited with ${exitCode}`
