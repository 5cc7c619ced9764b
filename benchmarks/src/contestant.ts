/** The harness' side of the protocol: one contestant's process. */
import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import type { DataOptions } from './data/protocol.ts'
import { processSeconds } from './machine.ts'
import type { Checked, ContestantOptions, Ran, Ready, Request, Unavailable } from './protocol.ts'

export type Given = ContestantOptions | DataOptions

export class Contestant {
  readonly name: string
  readonly pid: number
  /** What it says it is, with versions. */
  readonly title: string
  readonly #pipe: Pipe

  private constructor(name: string, { ready, pid }: Ready, pipe: Pipe) {
    this.name = name
    this.title = ready
    this.pid = pid ?? pipe.pid
    this.#pipe = pipe
  }

  /**
   * Starts a process and waits until it is ready.
   *
   * @param environment what it has besides the harness' own
   * @returns the reason when it cannot take part on this machine
   * @throws with its error output when it ends before it is ready
   */
  static async start(
    name: string,
    command: readonly string[],
    options: Given,
    environment: Readonly<Record<string, string>> = {},
  ): Promise<Contestant | Unavailable> {
    const pipe = new Pipe(name, command, options, environment)
    const first = (await pipe.read()) as Ready | Unavailable
    if ('ready' in first) return new Contestant(name, first, pipe)
    pipe.stop()
    return first
  }

  async logits(): Promise<number[]> {
    return (await this.check<Checked>()).logits
  }

  check<Answer>(): Promise<Answer> {
    return this.#ask<Answer>('check')
  }

  run(): Promise<Ran> {
    return this.#ask<Ran>('run')
  }

  /** CPU time used so far; undefined where the system does not tell. */
  cpuSeconds(): number | undefined {
    return processSeconds(this.pid)
  }

  stop(): void {
    this.#pipe.stop()
  }

  #ask<Answer>(request: Request): Promise<Answer> {
    this.#pipe.write(request)
    return this.#pipe.read() as Promise<Answer>
  }
}

/** Lines to and from a child process; its end is an error for whoever waits for a line. */
export class Pipe {
  readonly #name: string
  readonly #child: ChildProcess
  readonly #lines: AsyncIterator<string>
  /** An end of the lines: without a process, the lines themselves would not end. */
  readonly #neverStarted: Promise<IteratorResult<string, undefined>>
  #errors = ''

  constructor(
    name: string,
    [program = '', ...args]: readonly string[],
    options: { threads: number },
    more: Readonly<Record<string, string>> = {},
  ) {
    this.#name = name
    const threads = String(options.threads)
    // OpenBLAS chooses its kernels itself: what the environment asks for may be those of an older processor.
    const { OPENBLAS_CORETYPE, OPENBLAS_L2_SIZE, ...environment } = process.env
    this.#child = spawn(program, [...args, JSON.stringify(options)], {
      env: { ...environment, OMP_NUM_THREADS: threads, OPENBLAS_NUM_THREADS: threads, ...more },
      stdio: ['pipe', 'pipe', 'pipe'],
    })
    this.#neverStarted = new Promise(resolve => {
      this.#child.on('error', error => {
        this.#errors = error.message
        resolve({ done: true, value: undefined })
      })
    })
    this.#child.stdin?.on('error', () => {}) // it has ended: reading says so, with its error output
    this.#child.stderr?.on('data', (chunk: Buffer) => {
      this.#errors = (this.#errors + chunk).slice(-2000)
    })
    this.#lines = createInterface({ input: this.#child.stdout as NodeJS.ReadableStream })[Symbol.asyncIterator]()
  }

  get pid(): number {
    return this.#child.pid ?? 0
  }

  write(line: string): void {
    this.#child.stdin?.write(`${line}\n`)
  }

  async read(): Promise<unknown> {
    const { value, done } = await Promise.race([this.#lines.next(), this.#neverStarted])
    if (done) throw new Error(`The contestant ${this.#name} ended: ${this.#errors.trim() || 'it gave no reason.'}`)
    return JSON.parse(value)
  }

  stop(): void {
    this.#child.kill('SIGKILL')
  }
}
