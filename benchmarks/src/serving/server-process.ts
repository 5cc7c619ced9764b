/** A server that is measured: a process that says its address, and what it started. */
import { fileURLToPath } from 'node:url'
import { processSeconds } from '../machine.ts'

const vitral = fileURLToPath(new URL('../../../packages/trainer/src/cli/index.ts', import.meta.url))
const onnx = fileURLToPath(new URL('onnx-server.ts', import.meta.url))

export class ServerProcess {
  /** Takes a POST of an image. */
  readonly url: string
  readonly #child: Bun.Subprocess

  private constructor(url: string, child: Bun.Subprocess) {
    this.url = url
    this.#child = child
  }

  static async startVitral(
    modelFolder: string,
    { maxBatchSize, maxDelay }: { maxBatchSize?: number; maxDelay?: number } = {},
  ): Promise<ServerProcess> {
    const command = [process.execPath, vitral, 'serve', `model=${modelFolder}`, '--port', '0']
    if (maxBatchSize !== undefined) command.push('--max-batch-size', String(maxBatchSize))
    if (maxDelay !== undefined) command.push('--max-delay', String(maxDelay))
    const { child, line } = await started(command, line => line.message === 'listening')
    return new ServerProcess(`${line.url}v1/models/model/classify`, child)
  }

  static async startOnnx(options: { onnxFile: string; size: number; threads: number }): Promise<ServerProcess> {
    const { child, line } = await started([process.execPath, onnx, JSON.stringify(options)], line => 'url' in line)
    return new ServerProcess(String(line.url), child)
  }

  get pid(): number {
    return this.#child.pid
  }

  /** Processor time of the server and all processes that it started. */
  cpuSeconds(): number | undefined {
    return processSeconds(this.#child.pid)
  }

  async stop(): Promise<void> {
    this.#child.kill('SIGTERM')
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), 10_000)
    await this.#child.exited
    clearTimeout(timer)
  }
}

type Line = Record<string, unknown>

/** @throws with its error output when it ends before it says what is waited for */
async function started(
  command: string[],
  isReady: (line: Line) => boolean,
): Promise<{ child: Bun.Subprocess; line: Line }> {
  const child = Bun.spawn(command, { stdin: 'ignore', stdout: 'pipe', stderr: 'pipe' })
  const errors = new Response(child.stderr).text()
  let rest = ''
  const decoder = new TextDecoder()
  const reader = child.stdout.getReader()
  for (;;) {
    const { value, done } = await reader.read()
    if (done) throw new Error(`The server ended: ${(await errors).trim()}`)
    const lines = (rest + decoder.decode(value)).split('\n')
    rest = lines.pop() ?? ''
    const line = lines.map(text => JSON.parse(text) as Line).find(isReady)
    if (!line) continue
    void drain(reader)
    return { child, line }
  }
}

async function drain(reader: { read(): Promise<{ done: boolean }> }): Promise<void> {
  while (!(await reader.read()).done);
}
