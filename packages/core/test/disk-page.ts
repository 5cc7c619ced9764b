/** What a disk does, as one list of answers: in Node and Bun on the file system, in a browser on OPFS. */
import { disk } from '#platform'
import { readSafetensors, readSafetensorsHeader, writeSafetensors } from '../src/files/safetensors/safetensors-file.ts'

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

/** @param root of an empty folder */
export async function diskAnswers(root: string): Promise<unknown[]> {
  const answers: unknown[] = []
  const at = (...names: string[]): string => disk.join(root, ...names)
  const nameOfError = (error: Error): string =>
    /no such file|There is no file/i.test(error.message) ? 'missing' : error.message

  answers.push([await disk.exists(at('a')), await disk.exists(at('a', 'b')), disk.basename(at('a', 'b.txt'))])
  await disk.makeFolder(at('a', 'b'))
  await disk.makeFolder(at('a', 'b'))
  answers.push([await disk.exists(at('a')), await disk.exists(at('a', 'b'))])
  await disk.write(at('a', 'text'), [bytes('one '), bytes('two')])
  answers.push([await disk.exists(at('a', 'text')), await disk.readText(at('a', 'text'))])
  await disk.write(at('a', 'text'), [bytes('3')])
  await disk.append(at('a', 'text'), bytes('4'))
  await disk.append(at('a', 'new'), bytes('5'))
  answers.push([await disk.readText(at('a', 'text')), await disk.readText(at('a', 'new'))])
  answers.push((await disk.list(at('a'))).sort())

  const file = await disk.open(at('a', 'text'))
  const read = new Uint8Array(4)
  answers.push([file.size, await file.read(read, 1), [...read], await file.read(read, 2)])
  await file.close()
  answers.push(await disk.open(at('a', 'nothing')).catch(nameOfError))
  answers.push(await disk.readText(at('nowhere', 'nothing')).catch(nameOfError))

  await disk.createFolder(at('whole'), folder => disk.write(disk.join(folder, 'file'), [bytes('6')]))
  answers.push([await disk.list(at('whole')), (await disk.list(root)).sort()])
  answers.push(await disk.files(root), await disk.files(at('nowhere')).catch(() => 'missing'))
  await disk.remove(at('a'))
  await disk.remove(at('nowhere', 'nothing'))
  answers.push((await disk.list(root)).sort())

  const shape = [3, 5]
  const data = Float32Array.from({ length: 15 }, (_, i) => Math.fround(i / 7))
  await writeSafetensors(at('tensors.safetensors'), new Map([['x', { dtype: 'F32', shape, data }]]), { format: 'pt' })
  const { tensors, metadata, checked } = await readSafetensors(at('tensors.safetensors'))
  const whole = await disk.open(at('tensors.safetensors'))
  const header = await readSafetensorsHeader(whole, 'tensors.safetensors')
  answers.push([[...(tensors.get('x')?.data ?? [])], metadata, checked, header.hasChecksum])
  const all = new Uint8Array(whole.size)
  await whole.read(all, 0)
  await whole.close()
  answers.push(new TextDecoder().decode(all.subarray(42, 106))) // the checksum of the file
  all[all.length - 1] = 1
  await disk.write(at('tensors.safetensors'), [all])
  answers.push(
    await readSafetensors(at('tensors.safetensors')).catch(({ message }: Error) => message.replace(root, '')),
  )
  return answers
}

if (typeof document !== 'undefined') Object.assign(globalThis, { diskAnswers })
else if (typeof addEventListener === 'function' && 'WorkerGlobalScope' in globalThis)
  addEventListener('message', async ({ data }) => postMessage(await diskAnswers(data).catch(error => [String(error)])))
