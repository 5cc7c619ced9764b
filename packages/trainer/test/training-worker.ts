/** The worker of the tests: it trains, and can be made to hang while it writes a checkpoint. */
import { serveTraining } from '../src/subpaths/worker.ts'

interface Access {
  write(bytes: Uint8Array, options: { at: number }): number
  flush(): void
}

type Handle = FileSystemFileHandle & { createSyncAccessHandle(): Promise<Access> }

/** After so many checkpoints the next is written to its half. */
const hangsAfter = Number(new URL(location.href).searchParams.get('hangs') ?? Number.POSITIVE_INFINITY)

let checkpoints = 0
const prototype = FileSystemFileHandle.prototype as Handle
const { createSyncAccessHandle } = prototype
prototype.createSyncAccessHandle = async function (this: Handle) {
  const access = await createSyncAccessHandle.call(this)
  if (!this.name.startsWith('step-') || checkpoints++ < hangsAfter) return access
  const write = access.write.bind(access)
  access.write = (bytes, options) => {
    write(bytes.subarray(0, bytes.length >> 1), options)
    access.flush()
    postMessage({ hangs: true })
    for (;;); // until the page is closed
  }
  return access
}

serveTraining()
