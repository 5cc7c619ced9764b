import { expect, test } from 'bun:test'
import { createProgress } from './progress.ts'
import { pipelineProgress } from './start-backend.ts'

test('a first pass on WebGPU says once how many pipelines it compiles, and leaves no line behind', () => {
  const written: string[] = []
  const tell = pipelineProgress(
    createProgress({ stream: { write: text => written.push(text), isTTY: true, columns: 60 }, now: () => 0, env: {} }),
  )
  tell(0, 3) // hardly to be noticed
  expect(written).toEqual([])
  for (const done of [0, 20, 41]) tell(done, 41)
  expect(written.filter(text => text.startsWith('Compiling'))).toEqual(['Compiling 41 pipelines for the GPU…\n'])
  expect(written.at(-1)).toBe('\r\x1b[2K')
})
