/** Run by Bun and Node with proxies in their environment: says where the model is, or why it cannot be had. */
import { resolveModel } from '../src/files/hub/hub.ts'

console.log(await resolveModel('owner/model').catch((error: Error) => error.message))
