/** The built package in plain Node: workers that end or hang are replaced, and the batches are those of no workers. */
import { expect, test } from 'bun:test'
import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { temporaryFolder } from './temporary-folder.ts'

const entry = join(import.meta.dir, '../dist/index.js')
const folder = temporaryFolder()

/** Its worker misbehaves at example 4, once; whether it has is in shared memory. */
const dataset = `
  import { isMainThread } from 'node:worker_threads'
  export default ({ done, how }) => ({
    length: 9,
    classes: ['a'],
    get(index) {
      if (!isMainThread && index === 4 && Atomics.exchange(done, 0, 1) === 0) {
        if (how === 'ends') process.exit(3)
        if (how === 'fails') setTimeout(() => { throw new Error('as it was told') })
        else while (true);
        return new Promise(() => {})
      }
      return { image: { data: new Uint8Array(3).fill(index), width: 1, height: 1, channels: 3 }, label: 0 }
    },
    source: { module: import.meta.url, params: { done, how } },
  })`
const path = join(folder, 'dataset.mjs')
writeFileSync(path, dataset)

const program = (how: string): string => `
  import { createLoader, transforms } from ${JSON.stringify(pathToFileURL(entry).href)}
  import open from ${JSON.stringify(pathToFileURL(path).href)}
  const done = new Int32Array(new SharedArrayBuffer(4))
  for (const workers of [0, 2]) {
    const options = { transforms: [transforms.toTensor()], batchSize: 2, workers, timeoutSeconds: ${how === 'hangs' ? 3 : 60} }
    const loader = createLoader(open({ done, how: ${JSON.stringify(how)} }), options)
    const values = []
    for await (const { pixelValues } of loader.batches()) values.push(...pixelValues.data)
    await loader.close()
    console.log(values.join(), done[0])
  }`

test.each(['ends', 'fails', 'hangs'])(
  'one that %s',
  how => {
    const args = ['--input-type=module', '-e', program(how)]
    const { stdout, stderr, status } = spawnSync('node', args, { encoding: 'utf8', timeout: 60_000 })
    if (stderr.includes('Cannot find module') && stderr.includes('dist'))
      throw new Error('The package is not built: run `bun run build` in the root first.')
    const [here, replaced] = stdout.trim().split('\n') as [string, string]
    expect(here?.endsWith(' 0')).toBe(true)
    expect([replaced, status]).toEqual([here.replace(/ 0$/, ' 1'), 0])
  },
  90_000,
)
