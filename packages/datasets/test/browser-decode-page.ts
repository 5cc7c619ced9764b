/** A page that decodes the files it is told, and posts their pixels, or why there are none. */
import { decodeImage } from '../src/images/decode-image.ts'

/** Bytes in base64, for the way out of the page; or a message. */
export type Posted = { width: number; height: number; data: string } | string

const decode = async (name: string): Promise<Posted> => {
  try {
    const { width, height, data } = await decodeImage(`/files/${name}`)
    let text = ''
    for (const byte of data) text += String.fromCharCode(byte)
    return { width, height, data: btoa(text) }
  } catch (error) {
    return (error as Error).message
  }
}

const names: string[] = await (await fetch('/names')).json()
const results: Record<string, Posted> = {}
for (const name of names) results[name] = await decode(name)
await fetch('/results', { method: 'POST', body: JSON.stringify(results) })
