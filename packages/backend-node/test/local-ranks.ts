/** Processes of a run through shared memory, for tests: what each is told to do, what it writes, and when it has ended. */
import { createHash, randomUUID } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Subprocess } from 'bun'
import type { ConnectOptions } from '../src/collectives.ts'

export const program: string = join(import.meta.dir, 'collectives-rank.mjs')
export const linux: boolean = process.platform === 'linux'
if (!linux) console.log('skipped: collectives through shared memory need Linux')

export interface Line {
  at?: string
  result?: unknown
  leaked?: number
  error?: string
  /** The rank that failed, where the error is another's. */
  waitedFor?: number
}

/** A process of the run, and what it writes. */
export class Rank {
  readonly lines: Line[] = []
  readonly process: Subprocess<'ignore', 'pipe', 'pipe'>
  readonly stderr: Promise<string>
  readonly ended: Promise<Line>
  #waiting: (() => void)[] = []

  constructor(task: string, options: ConnectOptions, taskOptions: object = {}, runtime = process.execPath) {
    const command = [runtime, program, 'local', task, JSON.stringify(options), JSON.stringify(taskOptions)]
    this.process = Bun.spawn(command, { stdin: 'ignore', stdout: 'pipe', stderr: 'pipe' })
    running.add(this)
    this.stderr = new Response(this.process.stderr).text()
    this.ended = this.#read()
  }

  async #read(): Promise<Line> {
    let rest = ''
    const decoder = new TextDecoder()
    for await (const bytes of this.process.stdout) {
      const lines = (rest + decoder.decode(bytes)).split('\n')
      rest = lines.pop() ?? ''
      this.lines.push(...lines.map(line => JSON.parse(line) as Line))
      for (const wake of this.#waiting.splice(0)) wake()
    }
    await this.process.exited
    for (const wake of this.#waiting.splice(0)) wake()
    return this.lines.at(-1) ?? {}
  }

  async connected(): Promise<void> {
    while (!this.lines.some(({ at }) => at === 'connected')) {
      if (this.lines.some(({ error }) => error)) throw new Error(this.lines.at(-1)?.error)
      await new Promise<void>(wake => this.#waiting.push(wake))
    }
  }
}

const running = new Set<Rank>()

/** After each test: a failed one leaves some. */
export function endAll(): void {
  for (const rank of running) rank.process.kill('SIGKILL')
  running.clear()
}

export const newId = () => `test ${randomUUID()}`
export const fileOf = (id: string) =>
  `/dev/shm/vitral-${process.getuid?.()}-${createHash('sha256').update(id).digest('hex').slice(0, 32)}`

export const token = 'recipe a'

/** Until so many processes have written that token into the run's file. */
export async function haveCome(id: string, count: number): Promise<void> {
  while (!existsSync(fileOf(id)) || readFileSync(fileOf(id), 'latin1').split(token).length <= count) await Bun.sleep(10)
}

export function startRun(
  task: string,
  worldSize: number,
  { taskOptions, runtime, ...options }: Partial<ConnectOptions> & { taskOptions?: object; runtime?: string } = {},
): Rank[] {
  const id = options.id ?? newId()
  return Array.from(
    { length: worldSize },
    (_, rank) => new Rank(task, { timeout: 60_000, ...options, id, rank, worldSize }, taskOptions, runtime),
  )
}

export const endOf = (ranks: readonly Rank[]) => Promise.all(ranks.map(({ ended }) => ended))
