/** Run by Node: answers each line of JSON with one. */
import { createInterface } from 'node:readline'
import { loadModel } from './load-model.ts'

for await (const line of createInterface(process.stdin)) console.log(JSON.stringify(await loadModel(JSON.parse(line))))
