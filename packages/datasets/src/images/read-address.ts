/** The bytes of an address of http or https, no more of them than are wanted. */
import { Refusal } from './decoder.ts'

/**
 * @param fetchFrom `fetch`, or one that knows proxies
 * @throws a Refusal, or another error when the server or the network may be to blame; the end of a sentence that begins
 * with the address
 */
export async function readAddress(
  url: string | URL,
  maxBytes: number,
  fetchFrom: (url: string | URL, init: RequestInit) => Promise<Response>,
): Promise<Uint8Array> {
  let response: Response
  try {
    response = await fetchFrom(url, {})
  } catch (error) {
    throw new Error(`cannot be reached (${(error as Error).message}).`, { cause: error })
  }
  if (!response.ok || !response.body) throw answered(response)
  const chunks: Uint8Array[] = []
  let size = 0
  const reader = response.body.getReader()
  for (let { value, done } = await reader.read(); !done && value; { value, done } = await reader.read()) {
    size += value.length
    if (size > maxBytes) {
      await reader.cancel()
      throw new Refusal(`has more than maxBytes, ${maxBytes} bytes.`, 'limit')
    }
    chunks.push(value)
  }
  return new Uint8Array(await new Blob(chunks as BlobPart[]).arrayBuffer())
}

/** Refused by the server for good, or for now. */
function answered({ status, statusText }: Response): Error {
  const why = `answered ${status} ${statusText}.`
  const mayPass = status >= 500 || status === 408 || status === 429
  return mayPass ? new Error(why) : new Refusal(why, 'damaged')
}
