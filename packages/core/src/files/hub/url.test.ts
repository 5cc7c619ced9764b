/** Models by their address, and from a hub, in Bun, Node and Chromium: one list of what may go wrong on the way. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'bun:test'
import type { LoadAnswer, LoadRequest } from '../../../test/load-model.ts'
import { type Runtime, runtimes } from '../../../test/load-runtimes.ts'
import { ModelSite } from '../../../test/model-site.ts'
import { parseSafetensors, serialize, serializeSafetensors } from '../safetensors/safetensors.ts'
import { noChecksum, putChecksum } from './checksum.ts'

for (const [name, missing] of runtimes) if (missing) console.log(`skipped loading by address in ${name}: ${missing}`)

describe.each(runtimes)('in %s', (name, missing, start) => {
  let site: ModelSite
  let runtime: Runtime
  let cacheFolder: string
  let expected: number[]

  beforeAll(async () => {
    if (missing) return
    site = new ModelSite()
    runtime = await start(site)
    expected = (await runtime.load({ source: `${site.url}/model`, options: { cache: false } })).values as number[]
    cacheFolder = runtime.newCache()
  }, 60_000)
  afterAll(async () => {
    await runtime?.stop()
    await site?.stop()
  })
  afterEach(() => {
    if (missing) return
    Object.assign(site, { fault: undefined, hasVersions: true, hasHead: true, requests: [] })
    const fresh = new ModelSite()
    for (const file of site.files.keys()) if (!fresh.files.has(file)) site.files.delete(file)
    for (const [file, bytes] of fresh.files) site.files.set(file, bytes)
    cacheFolder = runtime.newCache()
  })

  const load = (request: Partial<LoadRequest> = {}): Promise<LoadAnswer> =>
    runtime.load({ source: `${site.url}/model`, ...request, options: { cacheFolder, ...request.options } })
  const refusal = async (request: Partial<LoadRequest> = {}): Promise<string> =>
    (await load(request)).error?.message ?? ''
  const weights = 'model.safetensors'
  const size = (): number => site.file(weights).length
  const it = test.skipIf(missing !== undefined)

  it('a model and its processor are loaded once, with progress, and known again', async () => {
    const { values, progress, warnings } = await load()
    expect(values).toEqual(expected)
    expect(expected.some(value => value !== 0)).toBe(true)
    expect(progress.filter(({ file }) => file === weights).at(-1)).toEqual({
      file: weights,
      received: size(),
      total: size(),
    })
    expect(warnings).toEqual([])
    expect((await load({ processor: true })).values).toEqual([0.5, 0.5, 0.5])
    site.requests = []
    expect((await load()).values).toEqual(expected)
    expect(site.requests.map(({ method }) => method)).toEqual(['HEAD', 'HEAD'])
  })

  it('a processor alone downloads no weights', async () => {
    await load({ processor: true })
    expect(site.requests.filter(({ path }) => path.endsWith('.safetensors'))).toEqual([])
  })

  it('a connection that is cut is gone on with from where it was', async () => {
    site.fault = { files: /safetensors/, cut: { after: 150_000, times: 2 } }
    const { values, progress } = await load()
    expect(values).toEqual(expected)
    const ranges = site.asked('GET', weights).map(({ range }) => range)
    expect(ranges).toHaveLength(3)
    expect(ranges.at(-1)).toMatch(/^bytes=[1-9]\d*-$/)
    const received = progress.filter(({ file }) => file === weights).map(({ received }) => received)
    expect(received).toEqual(received.toSorted((a, b) => a - b))
  })

  it.each(['passed over', 'refused'] as const)('a server whose ranges are %s sends the file anew', async ranges => {
    site.fault = { files: /safetensors/, cut: { after: 150_000, times: 1 }, ranges }
    expect((await load()).values).toEqual(expected)
  })

  it('a load that is aborted ends at once, and the next goes on from there', async () => {
    site.fault = { files: /safetensors/, stall: 200_000 }
    const { error } = await load({ abortAt: 1 })
    expect(error?.name).toBe('AbortError')
    site.fault = undefined
    site.requests = []
    expect((await load()).values).toEqual(expected)
    expect(site.asked('GET', weights).map(({ range }) => range)).toEqual([expect.stringMatching(/^bytes=[1-9]\d*-$/)])
  })

  it('a file that changed while it was away is not put together with the old part', async () => {
    site.fault = { files: /safetensors/, stall: 200_000 }
    await load({ abortAt: 1 })
    site.fault = undefined
    site.files.set(weights, otherWeights(site.file(weights)))
    const { values } = await load()
    expect(values).not.toEqual(expected)
    expect(values?.every(Number.isFinite)).toBe(true)
  })

  it('a file that changes on the server is loaded again', async () => {
    await load()
    site.files.set(weights, otherWeights(site.file(weights)))
    expect((await load()).values).not.toEqual(expected)
  })

  it('shards are loaded by their index, also where the site answers what it lacks with a page', async () => {
    const bytes = site.file(weights)
    const names = [...parseSafetensors(bytes).tensors.keys()]
    site.files.delete(weights)
    site.files.set('model-00001-of-00001.safetensors', bytes)
    const index = { weight_map: Object.fromEntries(names.map(name => [name, 'model-00001-of-00001.safetensors'])) }
    site.files.set('model.safetensors.index.json', new TextEncoder().encode(JSON.stringify(index)))
    expect((await load()).values).toEqual(expected)
    site.fault = { files: /^model\.safetensors$/, page: true }
    expect((await load({ options: { cache: false } })).values).toEqual(expected)
  })

  it('what is not there, and a page in its place, is said by its address', async () => {
    expect(await refusal({ source: `${site.url}/nothing` })).toBe(
      `${site.url}/nothing/config.json answered 404 Not Found; expected a Hugging Face model folder.`,
    )
    site.fault = { files: /./, page: true }
    expect(await refusal()).toBe(`${site.url}/model/config.json is a web page; expected a Hugging Face model folder.`)
    site.fault = { files: /safetensors/, status: 404 }
    expect(await refusal()).toContain(
      `${site.url}/model/${weights} answered 404 Not Found, and ${site.url}/model/model`,
    )
    site.fault = { files: /preprocessor/, status: 404 }
    expect(await refusal({ processor: true })).toStartWith(`${site.url}/model/preprocessor_config.json answered 404`)
  })

  it('what is no model is refused before its weights are asked for', async () => {
    site.files.set('config.json', new TextEncoder().encode('{"model_type":"llama","hidden_size":8}'))
    expect(await refusal()).toContain("describes a model of type 'llama'")
    expect(site.requests.filter(({ path }) => path.endsWith('.safetensors'))).toEqual([])
  })

  it('weights that are none are refused at their first bytes', async () => {
    const pointer = 'version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 5\n'
    site.files.set(weights, new TextEncoder().encode(pointer))
    expect(await refusal()).toContain('is a pointer of Git LFS')
    site.files.set(weights, new Uint8Array(5_000_000).fill(65))
    expect(await refusal()).toContain('at most 100000000 are allowed')
  })

  it('a file that arrives damaged or cut short is deleted, and never loaded', async () => {
    site.files.set(weights, checked(site.file(weights)))
    site.fault = { files: /safetensors/, damage: true }
    expect(await refusal()).toMatch(/arrived damaged: .*\. It was deleted; run the same again\.$/)
    site.fault = { files: /safetensors/, size: 300_000 }
    expect(await refusal()).toMatch(/cut off|damaged/)
    site.fault = undefined
    expect((await load()).values).toEqual(expected)
  })

  it('it is loaded without the network once it was loaded, and that is said', async () => {
    for (const hasVersions of [true, false]) {
      site.hasVersions = hasVersions
      const options = { cacheFolder: runtime.newCache() }
      await load({ options })
      await load({ processor: true, options })
      await site.stop()
      const { values, warnings } = await load({ options })
      expect(values).toEqual(expected)
      expect(warnings).toEqual([expect.stringMatching(/^Cannot reach .*\. Using the copy in the cache /)])
      expect((await load({ processor: true, options })).values).toEqual([0.5, 0.5, 0.5])
      expect(await refusal({ source: `${site.url}/other`, options })).toMatch(/Cannot reach .*does not have .*either/)
      await site.start()
    }
  })

  it('a server that fails is passed over for what is kept; one that refuses is not', async () => {
    await load()
    site.fault = { files: /./, status: 503 }
    expect((await load()).values).toEqual(expected)
    site.fault = { files: /./, status: 403 }
    expect(await refusal()).toContain('config.json answered 403 Forbidden')
  })

  it('a revision that is named is not asked for again', async () => {
    await load({ options: { revision: 'v1' } })
    site.requests = []
    expect((await load({ options: { revision: 'v1' } })).values).toEqual(expected)
    expect(site.requests).toEqual([])
    await load({ options: { revision: 'v2' } })
    expect(site.asked('GET', weights)).toHaveLength(1)
  })

  it('a server without HEAD will do, and a query goes with every file', async () => {
    site.hasHead = false
    expect((await load({ source: `${site.url}/model/?key=1` })).values).toEqual(expected)
  })

  it('a model above the limit is refused before its weights are asked for', async () => {
    expect(await refusal({ options: { maxBytes: 5000 } })).toContain('expected at most 5,000.')
    expect(site.asked('GET', weights)).toEqual([])
  })

  it("a hub's model is loaded by its id; the token goes to the hub and not to where it redirects", async () => {
    const options = { endpoint: site.url, token: 'secret' }
    expect((await load({ source: 'owner/tiny', options })).values).toEqual(expected)
    const [hub, storage] = [/^localhost/, /^127\.0\.0\.1/].map(host =>
      site.requests.filter(request => host.test(request.host)).map(({ authorization }) => authorization),
    )
    expect(new Set(hub)).toEqual(new Set(['Bearer secret']))
    expect(new Set(storage)).toEqual(new Set([undefined]))
    site.requests = []
    expect((await load({ source: 'owner/tiny', options })).values).toEqual(expected)
    expect(site.requests.filter(({ method, path }) => method === 'GET' && path.includes('cdn'))).toEqual([])
  })

  it("weights that are not those of the hub's checksum are refused", async () => {
    site.fault = { files: /safetensors/, damage: true }
    const options = { endpoint: site.url }
    expect(await refusal({ source: 'owner/tiny', options })).toMatch(/arrived damaged: \d+ bytes with checksum/)
    site.fault = undefined
    expect((await load({ source: 'owner/tiny', options })).values).toEqual(expected)
  })

  it('what is neither a path nor an address nor an id is refused', async () => {
    expect(await refusal({ source: 'a/b/c' })).toContain("'a/b/c' is neither a folder that exists nor a hub id such as")
    expect(await refusal({ source: 'ftp://host/model' })).toContain('neither')
    expect(await refusal({ options: { revision: '../up' } })).toContain("revision is '../up'")
  })

  it.skipIf(name !== 'Chromium')('an address may be relative to the page', async () => {
    for (const source of ['/model', './model', '/model/']) expect((await load({ source })).values).toEqual(expected)
  })
})

/** The same tensors, the classifier's bias one more. */
function otherWeights(bytes: Uint8Array): Uint8Array {
  const { tensors } = parseSafetensors(Uint8Array.from(bytes))
  const bias = tensors.get('classifier.bias')?.data as Float32Array
  for (let i = 0; i < bias.length; i++) bias[i] = (bias[i] as number) + 1
  return new Uint8Array(Buffer.concat(serializeSafetensors(tensors)))
}

/** The same with the checksum that Vitral writes. */
function checked(bytes: Uint8Array): Uint8Array {
  const pieces = serialize(parseSafetensors(Uint8Array.from(bytes)).tensors, {}, noChecksum)
  putChecksum(pieces)
  return new Uint8Array(Buffer.concat(pieces))
}
