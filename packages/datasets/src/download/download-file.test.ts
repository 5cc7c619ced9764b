/** Downloads whose connection breaks, falls silent or is given up, and several that want the same file. */
import { afterAll, beforeEach, describe, expect, test } from 'bun:test'
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { tar } from '../../test/tar.ts'
import { temporaryFolder } from '../../test/temporary-folder.ts'
import { openCifar10 } from '../sources/cifar.ts'
import { pixelBytes } from '../sources/cifar-folder.ts'
import { cifar10, cifar100 } from '../sources/cifar-layout.ts'
import { downloadCifar } from '../sources/download-cifar.ts'
import { downloadIdx, mnist, openMnist } from '../sources/mnist.ts'
import { downloadFile } from './download-file.ts'

const content = Buffer.from(Uint8Array.from({ length: 300_000 }, (_, i) => Math.imul(i, 2654435761) >>> 24))
const md5Of = (bytes: Uint8Array): string => createHash('md5').update(bytes).digest('hex')

let asked: { range?: string; encoding?: string }[]
/** What the server does with each of the requests, in turn; then it sends all. */
let faults: ((response: ServerResponse, rest: Buffer) => void)[]
let files: Record<string, Buffer>

const server = createServer((request, response) => {
  const { range, 'accept-encoding': encoding } = request.headers
  asked.push({ range, encoding: encoding as string })
  const file = files[request.url ?? ''] ?? content
  const start = Number(/bytes=(\d+)-/.exec(range ?? '')?.[1] ?? 0)
  const rest = file.subarray(start)
  response.writeHead(start > 0 ? 206 : 200, { 'content-length': rest.length })
  const fault = faults.shift()
  if (fault) fault(response, rest)
  else response.end(rest)
}).listen(0, '127.0.0.1')
const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
afterAll(() => {
  server.closeAllConnections()
  server.close()
})
beforeEach(() => {
  asked = []
  faults = []
  breakNow = () => {}
  files = {}
})

let breakNow: () => void = () => {}
/** Breaks once something has arrived, however slow the client is. */
const breaks = (response: ServerResponse, rest: Buffer): void => {
  response.write(rest.subarray(0, 100_000))
  breakNow = () => void response.destroy()
}
const fallsSilent = (response: ServerResponse, rest: Buffer): void => {
  response.write(rest.subarray(0, 100_000))
}
const options = { url: `${address}/file`, md5: md5Of(content), retrySeconds: 0.01 }

describe('a download', () => {
  test('asks for the bytes as they are', async () => {
    await downloadFile(join(temporaryFolder(), 'file'), options)
    expect(asked).toEqual([{ range: undefined, encoding: 'identity' }])
  })

  test('goes on by itself where the connection breaks', async () => {
    const path = join(temporaryFolder(), 'file')
    faults = [breaks, breaks]
    const onProgress = (): void => breakNow()
    await downloadFile(path, { ...options, onProgress })
    expect(readFileSync(path).equals(content)).toBe(true)
    expect(asked.map(({ range }) => range !== undefined)).toEqual([false, true, true])
  })

  test('goes on after silence', async () => {
    const path = join(temporaryFolder(), 'file')
    faults = [fallsSilent]
    await downloadFile(path, { ...options, idleSeconds: 1 })
    expect(readFileSync(path).equals(content)).toBe(true)
  })

  test('a download gives up after a few attempts, and keeps what has come', async () => {
    const path = join(temporaryFolder(), 'file')
    const breaksAtOnce = (response: ServerResponse): void => {
      response.write(content.subarray(0, 1000), () => setTimeout(() => response.destroy(), 20))
    }
    faults = Array(9).fill(breaksAtOnce)
    await expect(downloadFile(path, options)).rejects.toThrow(
      /broke off after \d+ of 30\d+ bytes.*; run the same again/,
    )
    expect(asked.length).toBe(5)
    expect(existsSync(`${path}.incomplete`)).toBe(true)
  })

  test('stops by its signal, and is not begun again', async () => {
    const path = join(temporaryFolder(), 'file')
    faults = [fallsSilent]
    const stop = new AbortController()
    const onProgress = (): void => stop.abort(new Error('enough'))
    await expect(downloadFile(path, { ...options, signal: stop.signal, onProgress })).rejects.toThrow('broke off after')
    expect([asked.length, existsSync(path), existsSync(`${path}.incomplete`)]).toEqual([1, false, true])
    await downloadFile(path, options)
    expect(readFileSync(path).equals(content)).toBe(true)
    expect(asked[1]?.range).toMatch(/^bytes=\d+-$/)
  })
})

describe('bytes that are too many', () => {
  /** In chunks, without a length, until the client hangs up. */
  const endless = (headers: Record<string, string>, status = 200): Promise<{ url: string; stop: () => void }> =>
    new Promise(resolve => {
      const mirror = createServer((_, response) => {
        response.writeHead(status, headers)
        const more = (): void => {
          while (!response.destroyed && response.write(content));
        }
        response.on('drain', more)
        more()
      }).listen(0, '127.0.0.1', () => {
        const stop = (): void => {
          mirror.closeAllConnections()
          mirror.close()
        }
        resolve({ url: `http://127.0.0.1:${(mirror.address() as AddressInfo).port}/file`, stop })
      })
    })

  test('a download without a length ends at its limit, and its bytes are deleted', async () => {
    const [folder, { url, stop }] = [temporaryFolder(), await endless({})]
    let most = 0
    const onProgress = ({ received }: { received: number }): void => {
      most = Math.max(most, received)
    }
    const download = downloadFile(join(folder, 'file'), { ...options, url, maxBytes: 1_000_000, onProgress })
    await expect(download).rejects.toThrow(`${url} sends more than 1,000,000 bytes, the most it may have.`)
    expect(most).toBeLessThanOrEqual(1_000_000)
    expect(readdirSync(folder)).toEqual([])
    stop()
  })

  test('a download whose size a range has announced ends at it', async () => {
    const folder = temporaryFolder()
    const { url, stop } = await endless({ 'content-range': 'bytes 100000-299999/300000' }, 206)
    writeFileSync(join(folder, 'file.incomplete'), content.subarray(0, 100_000))
    await expect(downloadFile(join(folder, 'file'), { ...options, url })).rejects.toThrow(
      `${url} sends more than the 300,000 bytes it announced.`,
    )
    expect(readdirSync(folder)).toEqual([])
    stop()
  })

  test('a download that announces too many bytes is refused', async () => {
    const folder = temporaryFolder()
    await expect(downloadFile(join(folder, 'file'), { ...options, maxBytes: 1000 })).rejects.toThrow(
      'announces 300,000 bytes; no more than 1,000 are taken of it.',
    )
    expect([asked.length, readdirSync(folder)]).toEqual([1, []])
  })
})

describe('data sets come whole', () => {
  const record = (labels: number, i: number): Buffer =>
    Buffer.concat([Buffer.alloc(labels, i), Buffer.alloc(pixelBytes, i)])
  const records = (labels: number): Buffer => Buffer.concat([0, 1].map(i => record(labels, i)))

  test.each([cifar10, cifar100])('$name, once for several that want it', async layout => {
    const { archive, labels } = layout
    const entries = archive.files.map(name => {
      const named = labels.find(({ classesFile }) => classesFile === name)
      const names = Array.from({ length: named?.classes ?? 0 }, (_, i) => `class ${i}\n`).join('')
      return { name: `${archive.folder}/${name}`, content: named ? names : records(labels.length) }
    })
    const packed = gzipSync(tar(entries))
    files = { '/set.tar.gz': packed }
    faults = [(response, rest) => response.write(rest.subarray(0, 50), () => setTimeout(() => response.destroy(), 20))]
    const two = Object.fromEntries(Object.keys(layout.records).map(file => [file, 2]))
    const small = { ...layout, records: two, archive: { ...archive, md5: md5Of(packed) } }
    const folder = temporaryFolder()
    const target = join(folder, archive.folder)
    const get = () => downloadCifar(small, folder, { url: `${address}/set.tar.gz` })
    expect(await Promise.all([get(), get()])).toEqual([target, target])
    expect(asked.length).toBe(2) // one broke off
    expect(readdirSync(folder)).toEqual([archive.folder])
    expect(readdirSync(target).sort()).toEqual([...archive.files].sort())
    if (layout !== cifar10) return
    writeFileSync(join(target, 'records.json'), JSON.stringify(two))
    expect((await openCifar10(folder, { split: 'train' })).length).toBe(10)
  })

  test('MNIST', async () => {
    const idx = (shape: number[], bytes: Buffer): Buffer => {
      const head = Buffer.alloc(4 + 4 * shape.length)
      head.set([0, 0, 8, shape.length])
      for (const [axis, length] of shape.entries()) head.writeUInt32BE(length, 4 + 4 * axis)
      return gzipSync(Buffer.concat([head, bytes]))
    }
    const packed = Object.keys(mnist.md5).map(name => {
      const bytes = name.includes('images') ? idx([3, 2, 2], Buffer.alloc(12, 7)) : idx([3], Buffer.from([1, 2, 3]))
      return [name, bytes] as const
    })
    files = Object.fromEntries(packed.map(([name, bytes]) => [`/${name}.gz`, bytes]))
    const md5 = Object.fromEntries(packed.map(([name, bytes]) => [name, md5Of(bytes)]))
    const folder = temporaryFolder()
    expect(await downloadIdx({ ...mnist, md5 }, folder, { url: address })).toBe(join(folder, 'MNIST/raw'))
    expect((await openMnist(folder, { split: 'train' })).length).toBe(3)
    await downloadIdx({ ...mnist, md5 }, folder, { url: address })
    expect(asked.length).toBe(4)
  })
})
