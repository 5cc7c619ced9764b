/** RESULTS.md: a preamble that explains it, and one section for each thing that was measured. */
import { readFile } from 'node:fs/promises'
import { writeFileAtomic } from '@vitral/core/files'
import { markdownTable } from './markdown-table.ts'

const preamble = `# Results

Each section was written by the command it names, and is replaced when that command runs again on a machine with the same
instruction set, which its heading names; a section that no command names was measured by hand and says how. Contestants are processes of their own with two threads each. They take
turns, round by round, so that a machine that slows down does so for all; figures are medians over the rounds. A round in
which other processes took more than a tenth of a core is measured again, and the quietest rounds count.

${markdownTable([
  ['column', 'meaning'],
  ['ms', 'one forward pass or training step of the whole batch; of loading, an epoch'],
  [
    'CPU ms',
    'CPU time of the same in the process of the contestant, all threads together; on a GPU that a CPU emulates, its work is in it',
  ],
  [
    'GFLOP/s',
    'the operations the logits need (`forwardFlops` of @vitral/core; a training step is three forward passes), by that time',
  ],
  [
    'of peak',
    "the same as a share of what this machine's cores multiply and add from registers, the best burst of the same run",
  ],
  [
    'of sustained',
    'the same as a share of what they keep up when they multiply and add as often with nothing but registers, in a turn of their own in each round',
  ],
  ['Vitral is', 'how many times as fast Vitral is: the median of the ratios within each round'],
  ['memory', 'the most resident memory of the process while it was measured, loading left out'],
  [
    'Δ logits',
    "the largest difference from the first contestant's logits, same weights and images; above 1e-3 (float16: 0.01, bfloat16: 0.05) the run fails",
  ],
  ['Δ loss', "the largest difference from the first contestant's loss over all training steps of the run"],
  ['loading', 'the share of a training step that it waits for its batch'],
])}
`

/**
 * Replaces the section of that name, or adds it at the end; the other sections stay as they are.
 *
 * @param body Markdown without headings of the first two levels
 */
export async function writeResults(path: string, section: { name: string; body: string }): Promise<void> {
  const existing = await readFile(path, 'utf8').catch(error => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return ''
    throw error
  })
  const sections = new Map(
    existing
      .split(/^## /m)
      .slice(1)
      .map(text => [text.slice(0, text.indexOf('\n')).trim(), text.slice(text.indexOf('\n') + 1).trim()]),
  )
  sections.set(section.name, section.body.trim())
  await writeFileAtomic(path, [preamble, ...[...sections].map(([name, body]) => `## ${name}\n\n${body}\n`)].join('\n'))
}
