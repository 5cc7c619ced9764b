/** The contestant's side of src/protocol.ts, for those that run in plain Node. */
import { createInterface } from 'node:readline'

/** @param {(options: object) => Promise<{ title: string, logits: () => Promise<ArrayLike<number>>, run: () => Promise<object> }>} prepare */
export async function serve(prepare) {
  const { title, logits, run } = await prepare(JSON.parse(process.argv.at(-1)))
  const answers = {
    check: async () => ({ logits: Array.from(await logits()) }),
    run: async () => {
      const start = performance.now()
      const result = await run()
      return { milliseconds: performance.now() - start, ...result }
    },
  }
  console.log(JSON.stringify({ ready: title }))
  for await (const line of createInterface({ input: process.stdin })) console.log(JSON.stringify(await answers[line]()))
  process.exit(0)
}
