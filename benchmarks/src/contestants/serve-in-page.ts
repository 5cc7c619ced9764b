/** Takes the place of serve.ts in a page, whose functions in-chromium.ts calls. */
import { disk } from '@vitral/core/files'
import type { Checked, ContestantOptions, Ran } from '../protocol.ts'
import { type Engine, timed, type Work } from './work.ts'

/** What the page is asked for. */
export interface PageContestant {
  title: string
  check(): Promise<Checked>
  run(): Promise<Ran>
}

/** Prepares a model's work, whose files are addresses. */
export async function serve(prepare: (options: ContestantOptions, engine: Engine) => Promise<Work>): Promise<void> {
  const { options, engine }: { options: ContestantOptions; engine: Engine } = await (await fetch('/contestant')).json()
  const inputs = await (await fetch(options.inputs)).arrayBuffer()
  await disk.write('inputs.safetensors', [new Uint8Array(inputs)])
  const work = await prepare({ ...options, inputs: 'inputs.safetensors' }, engine)
  const contestant: PageContestant = {
    title: work.title,
    check: async () => ({ logits: Array.from(await work.logits()) }),
    run: () => timed(() => work.run()),
  }
  Object.assign(globalThis, { contestant })
}
