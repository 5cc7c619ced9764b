/** The memory of images in a model version with a real worker process. */
import { afterAll, expect, test } from 'bun:test'
import { PIXELS, removeFolders, tinyModel } from '../../test/support/tiny-model.ts'
import { EngineError, type EngineOutput } from '../engine.ts'
import { ModelVersion } from './model-version.ts'
import { resolveOptions } from './options.ts'

afterAll(removeFolders)

test('an image’s memory is released once, with its answer, as it may be computed twice', async () => {
  const engine = resolveOptions({ models: [{ name: 'tiny', folder: await tinyModel(), backend: 'cpu' }] })
  const version = await ModelVersion.load({ engine, model: engine.models[0] as (typeof engine.models)[0] })
  const happened: string[] = []
  const answer = (name: string, bytes: number) => {
    const { promise, resolve } = Promise.withResolvers<EngineOutput | EngineError>()
    const pixels = new Uint8Array(bytes).fill(200)
    const free = (): void => {
      happened.push(`${name} is given back`)
      pixels.fill(0)
    }
    const settle = (result: EngineOutput | EngineError): void => {
      happened.push(`${name} is answered`)
      resolve(result)
    }
    const job = { input: { pixels, free }, task: 'classify', isWanted: true, begin() {}, settle } as const
    return { promise, job }
  }
  const alone = answer('alone', PIXELS)
  version.push([alone.job])
  const expected = await alone.promise
  // One that is too short fails all that are computed with it.
  const [first, short, last] = [answer('first', PIXELS), answer('short', 7), answer('last', PIXELS)]
  version.push([first, short, last].map(({ job }) => job))
  expect(await short.promise).toBeInstanceOf(EngineError)
  expect(await Promise.all([first.promise, last.promise])).toEqual([expected, expected])
  const inTurn = ['alone', 'first', 'short', 'last'].flatMap(name => [`${name} is answered`, `${name} is given back`])
  expect(happened).toEqual(inTurn)
  await version.stop()
})
