/** Server-Sent Events to every page that is open. https://html.spec.whatwg.org/multipage/server-sent-events.html */
import type { ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'

export interface EventStream {
  /** Keeps the response open, and begins with this event. */
  open(response: ServerResponse, event: string, data: object): void
  send(event: string, data: object): void
  /** Settles when every page has all that was sent, or has not taken it for a second. */
  close(): Promise<void>
}

/** A page that takes nothing any more is let go; it comes back by itself and is told all anew. */
const maxWaitingBytes = 2 ** 22

/** Milliseconds; what lies between may end a connection that is silent. */
const pingInterval = 5000

export function eventStream(): EventStream {
  const responses = new Set<ServerResponse>()
  const write = (text: string) => {
    for (const response of responses)
      if (response.writableLength > maxWaitingBytes) response.destroy()
      else response.write(text)
  }
  const ping = setInterval(() => write(':\n\n'), pingInterval)
  ping.unref()
  return {
    open(response, event, data) {
      response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' })
      response.write(message(event, data))
      responses.add(response)
      response.on('close', () => responses.delete(response))
    },
    send: (event, data) => write(message(event, data)),
    async close() {
      clearInterval(ping)
      const ends = [...responses].map(response => new Promise<void>(resolve => response.end(resolve)))
      await Promise.race([Promise.all(ends), sleep(patience, undefined, { ref: false })])
    },
  }
}

/** Milliseconds. */
const patience = 1000

const message = (event: string, data: object): string => `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`
