/** What the harness and the bare contestant say to each other: options once, then a line for each turn. */
import { createInterface } from 'node:readline'

export interface BareOptions {
  modelFolder: string
  /** Path of a JPEG file. */
  photo: string
  threads: number
}

export interface BareRequest {
  images: number
  /** In one batch. */
  together: number
}

/** Answers {"ready": true}, and then each line, a BareRequest, with the milliseconds that it took. */
export async function serveRequests(
  prepare: (options: BareOptions) => Promise<(request: BareRequest) => Promise<void>>,
): Promise<void> {
  const run = await prepare(JSON.parse(process.argv[2] ?? '{}') as BareOptions)
  const answer = (line: object) => process.stdout.write(`${JSON.stringify(line)}\n`)
  answer({ ready: true })
  for await (const line of createInterface({ input: process.stdin })) {
    const start = performance.now()
    await run(JSON.parse(line) as BareRequest)
    answer({ milliseconds: performance.now() - start })
  }
}
