/** The contestant's side of the protocol, for those written in TypeScript. */
import { createInterface } from 'node:readline'
import type { Checked, ContestantOptions, Ready, Request } from '../protocol.ts'
import { type Engine, timed, type Work } from './work.ts'

/** Prepares a model's work, then answers lines until the input ends. */
export async function serve(prepare: (options: ContestantOptions, engine: Engine) => Promise<Work>): Promise<void> {
  const { bun, node } = process.versions
  const work = await prepare(JSON.parse(process.argv.at(-1) ?? '{}') as ContestantOptions, {
    name: bun ? `Bun ${bun}` : `Node ${node}`,
    inPage: false,
    precision: process.argv.includes('int8') ? 'int8' : 'float32',
  })
  const check = async (): Promise<Checked> => ({ logits: Array.from(await work.logits()) })
  await serveAnswers(work.title, { check, run: () => work.run() })
}

/**
 * Answers lines until the input ends; `run` is timed, unless it says its own time, and what it returns is added to it.
 *
 * @param pid of the process that works, where it is another than this one
 */
export async function serveAnswers(
  title: string,
  { check, run }: Record<Request, () => Promise<object>>,
  pid?: number,
): Promise<void> {
  const answers: Record<string, () => Promise<object>> = {
    check,
    run: () => timed(run),
  }
  reply({ ready: title, ...(pid !== undefined && { pid }) } satisfies Ready)
  for await (const request of createInterface({ input: process.stdin })) {
    const answer = answers[request]
    if (!answer) throw new Error(`The request was '${request}'; expected ${Object.keys(answers).join(' or ')}.`)
    reply(await answer())
  }
}

const reply = (message: object) => process.stdout.write(`${JSON.stringify(message)}\n`)
