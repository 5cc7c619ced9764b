import type { ContestantOptions } from '../src/protocol.ts'

/** Options of a contestant that reads no files. */
export const options: ContestantOptions = {
  modelFolder: '',
  onnxFile: '',
  int8OnnxFile: '',
  inputs: '',
  task: 'inference',
  threads: 2,
  learningRate: 1e-3,
}
