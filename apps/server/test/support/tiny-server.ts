/** A server process with a tiny model, shared by all tests of a file. */
import { afterAll, beforeAll, expect } from 'bun:test'
import { post } from './requests.ts'
import { type StartedServer, startedWithModel } from './started-server.ts'
import { removeFolders, tinyModel } from './tiny-model.ts'

export interface TinyServer {
  /** There once the file's tests begin. */
  readonly server: StartedServer
  classify(file: Uint8Array): Promise<Response>
}

export function tinyServer(): TinyServer {
  let server: StartedServer
  beforeAll(async () => {
    server = await startedWithModel(await tinyModel())
  }, 60_000)
  afterAll(async () => {
    expect(await server.stop()).toBe(0)
    removeFolders()
  }, 60_000)
  return {
    get server() {
      return server
    },
    classify: file => fetch(new URL('v1/models/tiny/classify', server.url), post(Uint8Array.from(file))),
  }
}
