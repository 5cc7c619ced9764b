import { expect, test } from 'bun:test'
import { readAnswer, readCall, readReply, readRequest } from './protocol.ts'

const compute = {
  layout: [{ logits: 10 }, null, { features: 8, attention: [7, 7] }],
  memory: 1e8,
  modelIsNonFinite: false,
}

test('readReply gives what the call promises, without what else the header holds', () => {
  expect(readReply('compute', { id: 3, ...compute })).toEqual(compute as never)
  expect(readReply('decode', { id: 3, width: 4, height: 5 })).toEqual({ width: 4, height: 5 })
})

test.each([
  [
    () => readReply('compute', { ...compute, layout: [{ logits: -1 }] }),
    /reply to 'compute' that is wrong: layout\.0\.logits/,
  ],
  [() => readReply('decode', { width: '4', height: 5 }), /reply to 'decode' that is wrong: width/],
  [() => readReply('load', {}), /reply to 'load' that is wrong: classifies/],
  [() => readRequest('compute', { inputs: [{ kind: 'pixels', bytes: 3, task: 'paint' }] }), /request 'compute' .*task/],
])('%# a header that is wrong is refused by the name of its field', (run, message) => {
  expect(run).toThrow(message)
})

test('readAnswer takes an unknown error code for a failed model, and gives nothing without a number', () => {
  const error = { code: 'ENOENT', message: 'no such file' }
  expect(readAnswer({ id: 1, error })).toEqual({ id: 1, error: { ...error, code: 'model_failed' } })
  expect(readAnswer({ id: 1, error: { code: 'image_corrupt', message: 'cut off' } })?.error?.code).toBe('image_corrupt')
  expect(readAnswer({ error })).toBeUndefined()
  expect(() => readCall({ call: 'load' })).toThrow()
})
