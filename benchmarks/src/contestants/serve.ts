/** The contestant's side of the protocol, for those written in TypeScript. */
import { createInterface } from 'node:readline'
import type { Checked, ContestantOptions, Ran, Ready, Request } from '../protocol.ts'

export interface Work {
  /** What runs, with versions. */
  title: string
  logits(): Promise<ArrayLike<number>>
  /** One forward pass or training step, until its result is in memory. */
  run(): Promise<{ loss?: number }>
}

/** Prepares a model's work, then answers lines until the input ends. */
export async function serve(prepare: (options: ContestantOptions) => Promise<Work>): Promise<void> {
  const work = await prepare(JSON.parse(process.argv.at(-1) ?? '{}') as ContestantOptions)
  const check = async (): Promise<Checked> => ({ logits: Array.from(await work.logits()) })
  await serveAnswers(work.title, { check, run: () => work.run() })
}

/** Answers lines until the input ends; `run` is timed, and what it returns is added to the time. */
export async function serveAnswers(
  title: string,
  { check, run }: Record<Request, () => Promise<object>>,
): Promise<void> {
  const answers: Record<string, () => Promise<object>> = {
    check,
    run: async () => {
      const start = performance.now()
      const result = await run()
      return { milliseconds: performance.now() - start, ...result } satisfies Ran
    },
  }
  reply({ ready: title } satisfies Ready)
  for await (const request of createInterface({ input: process.stdin })) {
    const answer = answers[request]
    if (!answer) throw new Error(`The request was '${request}'; expected ${Object.keys(answers).join(' or ')}.`)
    reply(await answer())
  }
}

const reply = (message: object) => process.stdout.write(`${JSON.stringify(message)}\n`)
