/**
 * A worker process and the calls to it. Native code runs there: when it crashes or hangs, a worker process ends and not the
 * server.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { withAllocatorSettings } from '../allocator-settings.ts'
import { EngineError } from '../engine.ts'
import { FrameLink } from '../ipc/frame-link.ts'
import type { Frame } from '../ipc/framing.ts'
import { type CallName, type Calls, readAnswer, readReply } from './protocol.ts'

interface WorkerProcessOptions {
  /** Path of the module that the process runs. */
  module: string
  /** Milliseconds in which it must connect. */
  timeout: number
  /** Aborted when the engine ends: the process is killed, whatever it loads or computes. */
  signal?: AbortSignal
}

/** What a process answers to a call. */
export interface Answer<Name extends CallName> extends Pick<Frame, 'body' | 'free'> {
  reply: Calls[Name]['reply']
}

interface Call {
  resolve(frame: Frame): void
  reject(error: EngineError): void
  timer: ReturnType<typeof setTimeout>
}

/** Milliseconds that a process has to exit once its socket is closed. */
const GRACE = 1000

export class WorkerProcess {
  /** Why the process ended; undefined while it runs. */
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

  /** Resolves with the reason when the process can no longer be called. */
  get exited(): Promise<string> {
    return this.#ending.promise
  }

  /** @throws EngineError 'worker_failed' when the process ends or does not connect in time, 'draining' when the engine has ended */
  static async start(options: WorkerProcessOptions): Promise<WorkerProcess> {
    if (options.signal?.aborted) throw new EngineError('draining', 'The server is shutting down.')
    // The folder admits no other user, and exists only until the process has connected: a server that is killed leaves none
    // behind, and one that runs for weeks depends on none that the system may clear away.
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
      // A process that ends closes its socket first; its exit status, which says why, follows a moment later.
      onClose: () => setTimeout(() => workerProcess?.kill('its socket closed'), GRACE).unref(),
    })
    const listener = Bun.listen({ unix: path, socket: link.handlers })
    const subprocess = Bun.spawn([process.execPath, module, path], {
      env: withAllocatorSettings(process.env),
      stdin: 'ignore',
      stdout: 'ignore',
      stderr: 'inherit',
    })
    const abort = (): void =>
      workerProcess ? workerProcess.kill('the server is shutting down') : subprocess.kill('SIGKILL')
    signal?.addEventListener('abort', abort)
    void subprocess.exited.then(() => signal?.removeEventListener('abort', abort))
    const timer = setTimeout(() => {
      subprocess.kill('SIGKILL')
      connected.reject(new EngineError('worker_failed', `A worker process did not start within ${timeout} ms.`))
    }, timeout)
    void subprocess.exited.then(() =>
      connected.reject(new EngineError('worker_failed', `A worker process did not start: ${exitReason(subprocess)}.`)),
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
   * Calls a handler of the process by its name.
   *
   * @param timeout milliseconds; a process that has not answered by then hangs, and is killed
   * @throws EngineError the process's own, or 'worker_failed' when it ends before it answers, or answers wrongly
   */
  async call<Name extends CallName>(
    name: Name,
    request: Calls[Name]['request'],
    bodies: readonly Uint8Array[],
    timeout: number,
  ): Promise<Answer<Name>> {
    if (this.ended) throw this.#failure()
    const id = this.#nextId++
    const { header, body, free } = await new Promise<Frame>((resolve, reject) => {
      const timer = setTimeout(() => this.kill(`it did not answer within ${timeout} ms`), timeout)
      this.#calls.set(id, { resolve, reject, timer })
      this.#link.write({ ...request, id, call: name }, bodies)
    })
    try {
      return { reply: readReply(name, header), body, free }
    } catch (error) {
      this.kill((error as Error).message)
      throw error
    }
  }

  /** Kills the process; its calls fail with the reason. */
  kill(reason: string): void {
    this.#end(reason)
    if (this.#process.exitCode === null) this.#process.kill('SIGKILL')
  }

  /** Lets the process exit, which it does after the call it is working on; kills it when that takes too long. */
  async stop(): Promise<void> {
    this.#link.end()
    const timer = setTimeout(() => this.kill('it did not exit by itself'), GRACE)
    await this.#process.exited
    clearTimeout(timer)
  }

  #settle(frame: Frame): void {
    const answer = readAnswer(frame.header)
    if (!answer) {
      this.kill('its answer has no number')
      return
    }
    const { id, error } = answer
    const call = this.#calls.get(id)
    if (!call) return
    this.#calls.delete(id)
    clearTimeout(call.timer)
    if (error) call.reject(new EngineError(error.code, error.message))
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
    return new EngineError('worker_failed', `The worker process that computed this ended: ${this.ended}.`, {
      retryAfter: 1,
    })
  }
}

const exitReason = ({ signalCode, exitCode }: Bun.Subprocess): string =>
  signalCode ? `it was killed by ${signalCode}` : `it exited with ${exitCode}`
