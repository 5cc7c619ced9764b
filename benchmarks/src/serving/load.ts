/** Requests to a server: of clients that wait for each answer, and of an open crowd that does not. */
import { Connection, getOf, postOf, type Sent } from './connection.ts'

/**
 * @param clients each has one request on its way at a time
 * @returns milliseconds of each answer
 * @throws when one is no answer
 */
export async function sendAll(url: string, image: Uint8Array, images: number, clients: number): Promise<number[]> {
  const request = postOf(url, image)
  const times: number[] = []
  let left = images
  const client = async (): Promise<void> => {
    const connection = await Connection.open(url, request)
    while (left-- > 0) {
      const { milliseconds, status, reason } = await connection.send()
      if (status !== 200) throw new Error(`${url} answered ${status}: ${reason}`)
      times.push(milliseconds)
    }
    connection.close()
  }
  await Promise.all(Array.from({ length: clients }, client))
  return times
}

/**
 * Has a server compile what it runs, by one client, two, four: as many as are measured would wait longer for the slow first
 * answers than the server's queue lets them, on a slow machine.
 *
 * @param clients that are measured later
 */
export async function warmServer(url: string, image: Uint8Array, images: number, clients: number): Promise<void> {
  for (let few = 1; few < clients; few *= 2) await sendAll(url, image, images / Math.log2(clients), few)
}

/** Sends at a steady rate, whatever comes back; each request has a connection that no other is on at the time. */
export async function sendAtRate(
  url: string,
  image: Uint8Array,
  { perSecond, seconds, timeout }: { perSecond: number; seconds: number; timeout: number },
): Promise<Sent[]> {
  const request = postOf(url, image, timeout)
  const free: Connection[] = []
  const send = async (): Promise<Sent> => {
    const connection = free.pop() ?? (await Connection.open(url, request))
    const sent = await connection.send()
    free.push(connection)
    return sent
  }
  const sent: Promise<Sent>[] = []
  const start = performance.now()
  for (let i = 0; i < perSecond * seconds; i++) {
    const wait = start + (i * 1000) / perSecond - performance.now()
    if (wait > 0) await Bun.sleep(wait)
    sent.push(send())
  }
  const all = await Promise.all(sent)
  for (const connection of free) connection.close()
  return all
}

/** Milliseconds of each of the questions for a page that are asked, some 50 a second, until the work is done. */
export async function askDuring(url: string, work: Promise<unknown>): Promise<number[]> {
  const connection = await Connection.open(url, getOf(url))
  const times: number[] = []
  let isDone = false
  const done = work.finally(() => {
    isDone = true
  })
  while (!isDone) {
    times.push((await connection.send()).milliseconds)
    await Bun.sleep(20)
  }
  connection.close()
  await done
  return times
}
