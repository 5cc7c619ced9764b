/** `vitral train` with those who watch it, as a real process: the live page, and event files. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { writeTinyCifar } from '../tiny-cifar.ts'

const folder = mkdtempSync(join(tmpdir(), 'vitral-watch-'))
beforeAll(() => writeTinyCifar(folder))
afterAll(() => rmSync(folder, { recursive: true }))

const built = join(import.meta.dirname, '../../dist/cli/index.js')
if (!existsSync(built)) console.log(`The page under plain Node is not tested: ${built} is not built (bun run build).`)

const train = (program: string[], ...args: string[]) =>
  Bun.spawn([...program, 'train', ...tiny, ...args], { cwd: folder, stdout: 'pipe', stderr: 'pipe' })
const bun = [process.execPath, join(import.meta.dirname, '../../src/cli/index.ts')]
const tiny = [
  ...['cifar10-demo', '--data', folder, '--backend', 'cpu', '--batch-size', '8'],
  ...['--set', 'model.config.hiddenSize=8', '--set', 'model.config.numHiddenLayers=1'],
  ...['--set', 'model.config.patchSize=8', '--set', 'schedule.name=constant'],
]

describe.each([['Bun', bun], ...(existsSync(built) ? [['Node', ['node', built]] as const] : [])])(
  'in %s',
  (name, program) => {
    test('the page is there while the run goes on, and ends with it', async () => {
      const child = train([...program], '--epochs', '2000', '--dashboard', '0', '--out', join(folder, name))
      const url = await findUrl(child.stderr)
      expect(await (await fetch(url)).text()).toContain('<title>Vitral</title>')
      const { body } = await fetch(`${url}/events`)
      let told = ''
      let interrupted = false // a second interrupt would end the command at once
      for await (const chunk of body as ReadableStream<Uint8Array>) {
        told += new TextDecoder().decode(chunk)
        if (interrupted || !/event: update\ndata: {"steps":\[{/.test(told)) continue
        interrupted = true
        child.kill('SIGINT')
      }
      expect(told).toStartWith('event: run\n')
      expect(told).toContain('"state":"stopped"')
      expect(await child.exited).toBe(130)
      await expect(fetch(url)).rejects.toThrow()
    }, 60_000)
  },
)

test('a port that is taken ends the command in one line, before anything is written', async () => {
  const other = createServer()
  await new Promise<void>(resolve => other.listen(0, '127.0.0.1', resolve))
  const { port } = other.address() as { port: number }
  const child = train(bun, '--epochs', '1', '--dashboard', String(port), '--out', 'never')
  expect(await new Response(child.stderr).text()).toMatch(/^vitral train: --dashboard: port \d+ is taken; [^\n]+\n$/)
  expect(await child.exited).toBe(1)
  expect(existsSync(join(folder, 'never'))).toBe(false)
  other.close()
})

test('--tensorboard leaves event files, and another when the run goes on', async () => {
  const options = ['--epochs', '1', '--tensorboard', '--out', 'events']
  expect(await train(bun, ...options).exited).toBe(0)
  expect(await train(bun, ...options, '--resume').exited).toBe(0)
  expect(readdirSync(join(folder, 'events/tensorboard'))).toHaveLength(2)
})

/** What the command says of its page; the rest of what it says is let go. */
async function findUrl(stderr: ReadableStream<Uint8Array>): Promise<string> {
  let text = ''
  for await (const chunk of stderr.values({ preventCancel: true })) {
    text += new TextDecoder().decode(chunk)
    const url = text.match(/The dashboard is at (\S+)\n/)?.[1]
    if (url) return url
  }
  throw new Error(`There is no page: ${text}`)
}
