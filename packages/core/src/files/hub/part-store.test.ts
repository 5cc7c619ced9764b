/** A store of parts without room, with parts that are gone, and how much of a file is in memory at a time. */
import { expect, spyOn, test } from 'bun:test'
import { PartStore } from './part-store.ts'

const bytes = (count: number): Uint8Array => Uint8Array.from({ length: count }, (_, i) => (i * 7) % 256)

/** The part of Cache Storage that the store uses; it takes so many bytes. */
class FakeCache {
  readonly entries = new Map<string, Blob>()
  readonly #room: number

  constructor(room: number = Infinity) {
    this.#room = room
  }

  async put(url: string, response: Response): Promise<void> {
    const blob = await response.blob()
    const used = [...this.entries.values()].reduce((sum, { size }) => sum + size, 0)
    if (used + blob.size > this.#room) throw Object.assign(new Error('full'), { name: 'QuotaExceededError' })
    this.entries.set(url, blob)
  }

  async match(url: string): Promise<Response | undefined> {
    const blob = this.entries.get(url)
    return blob && new Response(blob)
  }

  async keys(of?: string): Promise<{ url: string }[]> {
    return [...this.entries.keys()].filter(url => !of || url.split('?')[0] === of).map(url => ({ url }))
  }

  async delete(url: string): Promise<boolean> {
    return this.entries.delete(url)
  }
}

function storeOn(cache: FakeCache | undefined, warnings: string[] = []): PartStore {
  return new PartStore("the cache 'test'", 'owner/model', cache as Cache | undefined, line => warnings.push(line))
}

async function fill(store: PartStore, key: string, content: Uint8Array, step = 65_536): Promise<void> {
  const incoming = await store.receive(key)
  for (let at = incoming.received; at < content.length; at += step)
    await incoming.append(content.subarray(at, at + step))
  await incoming.complete()
  await incoming.close()
}

async function readAll(store: PartStore, key: string): Promise<Uint8Array | undefined> {
  const file = await store.open(key)
  if (!file) return undefined
  const read = new Uint8Array(file.size)
  for (let at = 0; at < read.length; ) {
    const count = await file.read(read.subarray(at), at)
    if (count === 0) break
    at += count
  }
  return read
}

test('a content is there once it is complete, also to another store on the cache', async () => {
  const cache = new FakeCache()
  const content = bytes(5_000_000)
  const incoming = await storeOn(cache).receive('a')
  await incoming.append(content.subarray(0, 4_999_999))
  await incoming.close()
  expect(await storeOn(cache).open('a')).toBeUndefined()
  const again = await storeOn(cache).receive('a')
  expect(again.received).toBe(4_999_999)
  await again.append(content.subarray(4_999_999))
  await again.complete()
  expect(await readAll(storeOn(cache), 'a')).toEqual(content)
})

test('a content that has lost a part is none, and is gone on with from there', async () => {
  const cache = new FakeCache()
  await fill(storeOn(cache), 'a', bytes(7_000_000))
  const third = [...cache.entries.keys()].find(url => url.includes('from=4194304')) as string
  cache.entries.delete(third)
  expect(await storeOn(cache).open('a')).toBeUndefined()
  expect((await storeOn(cache).receive('a')).received).toBe(4_194_304)
})

test('what the quota has no room for stays in memory, and that is said once', async () => {
  const warnings: string[] = []
  const store = storeOn(new FakeCache(3_000_000), warnings)
  await fill(store, 'a', bytes(9_000_000))
  expect(await readAll(store, 'a')).toEqual(bytes(9_000_000))
  expect(warnings).toEqual([
    "the cache 'test' has no room for the model, which stays in memory and is downloaded again the next time.",
  ])
})

test('contents that no revision has any more are removed', async () => {
  const cache = new FakeCache()
  const store = storeOn(cache)
  for (const key of ['old', 'new', 'both']) await fill(store, key, bytes(10))
  await store.remember('main', {
    version: '1',
    files: new Map([
      ['a', 'old'],
      ['b', 'both'],
    ]),
  })
  await store.remember('other', { version: '1', files: new Map([['b', 'both']]) })
  await store.remember('main', { version: '2', files: new Map([['a', 'new']]) })
  expect(await store.listing('main')).toEqual({ version: '2', files: new Map([['a', 'new']]) })
  expect(await readAll(store, 'old')).toBeUndefined()
  expect(await readAll(store, 'both')).toEqual(bytes(10))
})

test('no more than a mebibyte is read at once, and a part is all that is gathered', async () => {
  const cache = new FakeCache()
  const store = storeOn(cache)
  await fill(store, 'a', bytes(9_000_000), 3_000_000)
  expect(Math.max(...[...cache.entries.values()].map(({ size }) => size))).toBe(2 * 2 ** 20)
  const sizes: number[] = []
  const { arrayBuffer } = Blob.prototype
  const spy = spyOn(Blob.prototype, 'arrayBuffer').mockImplementation(function (this: Blob) {
    sizes.push(this.size)
    return arrayBuffer.call(this)
  })
  await readAll(store, 'a')
  spy.mockRestore()
  expect(Math.max(...sizes)).toBe(2 ** 20)
})
