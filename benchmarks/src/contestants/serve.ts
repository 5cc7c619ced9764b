/** The contestant's side of the protocol, for those written in TypeScript. */
import { createInterface } from 'node:readline'
import type { Checked, ContestantOptions, Ran, Ready } from '../protocol.ts'

export interface Work {
  /** What runs, with versions. */
  title: string
  logits(): Promise<ArrayLike<number>>
  /** One forward pass or training step, until its result is in memory. */
  run(): Promise<{ loss?: number }>
}

/** Prepares the work, then answers lines until the input ends. */
export async function serve(prepare: (options: ContestantOptions) => Promise<Work>): Promise<void> {
  const work = await prepare(JSON.parse(process.argv[2] ?? '{}') as ContestantOptions)
  const answers: Record<string, () => Promise<Checked | Ran>> = {
    check: async () => ({ logits: Array.from(await work.logits()) }),
    run: async () => {
      const start = performance.now()
      const result = await work.run()
      return { milliseconds: performance.now() - start, ...result }
    },
  }
  reply({ ready: work.title })
  for await (const request of createInterface({ input: process.stdin })) {
    const answer = answers[request]
    if (!answer) throw new Error(`The request was '${request}'; expected ${Object.keys(answers).join(' or ')}.`)
    reply(await answer())
  }
}

const reply = (message: Ready | Checked | Ran) => process.stdout.write(`${JSON.stringify(message)}\n`)
