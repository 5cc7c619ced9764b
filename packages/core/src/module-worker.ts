/** Web workers whose script a bundler may have left out of the page: then its text, which a package brings along, is run. */

export interface ModuleWorkerOptions {
  /** Starts the script's file: `() => new Worker(new URL('./…', import.meta.url), { type: 'module' })`, in these very words. */
  fromFile(): Worker
  /** The script with all that it imports, as text. It is asked for only where the file is not there. */
  text(): Promise<string>
  /** Called with each message of the worker. */
  onMessage(message: unknown): void
  /** The worker has ended by itself; `why` is the end of a sentence. */
  onEnd(why: string): void
}

/** A worker of this runtime: a thread of Node or Bun, or a browser's Worker. */
export interface ModuleWorker {
  /** Sends a message; buffers in `transfer` move instead of being copied. */
  post(message: unknown, transfer?: readonly ArrayBuffer[]): void
  /** Ends it, whatever it does; afterwards no event comes. */
  terminate(): void
}

/** The first message of a script that runs: before it, what is sent might go to a file that is not there. */
const running = 'vitral: running'

/** Addresses of texts, by the text. */
const urls = new Map<string, string>()

/**
 * Starts a worker; its script calls `listenToPage`.
 *
 * esbuild and `bun build` leave the script's file out, Vite's development server does for packages before Vite 8, and a
 * page may not start a worker from another origin, such as a CDN.
 */
export function startModuleWorker({ fromFile, text, onMessage, onEnd }: ModuleWorkerOptions): ModuleWorker {
  /** What is to be sent once the script runs. */
  let waiting: { message: unknown; transfer: readonly ArrayBuffer[] }[] | undefined = []
  let worker: Worker | undefined
  let isTerminated = false

  function run(started: Worker, onFailure: (why: string) => void): void {
    worker = started
    started.onmessage = ({ data }) => {
      if (data !== running) return onMessage(data)
      for (const { message, transfer } of waiting ?? []) started.postMessage(message, [...transfer])
      waiting = undefined
    }
    // A web worker lives on after an error, in a state that nobody knows.
    started.onerror = event => {
      event.preventDefault()
      started.terminate()
      const why = `it failed: ${event.message ?? 'its script cannot be loaded'}`
      if (waiting) onFailure(why)
      else onEnd(why)
    }
  }

  async function runText(): Promise<void> {
    const script = await text()
    const url = urls.get(script) ?? URL.createObjectURL(new Blob([script], { type: 'text/javascript' }))
    urls.set(script, url)
    if (!isTerminated) run(new Worker(url, { type: 'module' }), onEnd)
  }

  const fallBack = (why: string): void => {
    runText().catch(({ message }: Error) => onEnd(`${why}, nor its text (${message})`))
  }

  try {
    run(fromFile(), fallBack)
  } catch (error) {
    fallBack(`it cannot be started: ${(error as Error).message}`)
  }
  return {
    post(message, transfer = []) {
      if (waiting) waiting.push({ message, transfer })
      else worker?.postMessage(message, [...transfer])
    },
    terminate() {
      isTerminated = true
      if (!worker) return
      worker.onmessage = null
      worker.onerror = null
      worker.terminate()
    },
  }
}

const scope = globalThis as unknown as {
  postMessage(message: unknown, transfer?: ArrayBuffer[]): void
  addEventListener(type: 'message', listener: (event: MessageEvent) => void): void
}

/** In a worker: takes the page's messages from now on, none of which has been lost. */
export function listenToPage(listener: (message: unknown) => void): void {
  scope.addEventListener('message', ({ data }) => listener(data))
  scope.postMessage(running)
}

/** In a worker: sends to the page. */
export const postToPage = (message: unknown, transfer: readonly ArrayBuffer[] = []): void =>
  scope.postMessage(message, [...transfer])
