/** Requests to a server: of clients that wait for each answer, and of an open crowd that does not. */

export interface Sent {
  milliseconds: number
  status: number
}

/** @param timeout milliseconds that the server is told to answer within */
export async function send(url: string, image: Uint8Array<ArrayBuffer>, timeout?: number): Promise<Sent> {
  const start = performance.now()
  const headers = { 'content-type': 'image/jpeg', ...(timeout !== undefined && { timeout: String(timeout) }) }
  const response = await fetch(url, { method: 'POST', body: image, headers })
  await response.arrayBuffer()
  return { milliseconds: performance.now() - start, status: response.status }
}

/**
 * @param clients each has one request on its way at a time
 * @returns milliseconds of each answer
 * @throws when one is no answer
 */
export async function sendAll(
  url: string,
  image: Uint8Array<ArrayBuffer>,
  images: number,
  clients: number,
): Promise<number[]> {
  const times: number[] = []
  let left = images
  const client = async (): Promise<void> => {
    while (left-- > 0) {
      const { milliseconds, status } = await send(url, image)
      if (status !== 200) throw new Error(`${url} answered ${status}.`)
      times.push(milliseconds)
    }
  }
  await Promise.all(Array.from({ length: clients }, client))
  return times
}

/** Sends at a steady rate, whatever comes back. */
export async function sendAtRate(
  url: string,
  image: Uint8Array<ArrayBuffer>,
  { perSecond, seconds, timeout }: { perSecond: number; seconds: number; timeout: number },
): Promise<Sent[]> {
  const sent: Promise<Sent>[] = []
  const start = performance.now()
  for (let i = 0; i < perSecond * seconds; i++) {
    const wait = start + (i * 1000) / perSecond - performance.now()
    if (wait > 0) await Bun.sleep(wait)
    sent.push(send(url, image, timeout))
  }
  return await Promise.all(sent)
}
