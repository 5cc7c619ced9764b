/**
 * The line protocol between the harness and a contestant, which is a process of its own.
 *
 * The harness gives ContestantOptions as JSON in the only argument. The contestant loads everything and writes one line,
 * Ready or Unavailable. It then answers each line it reads with one line of JSON, and ends when its input does:
 *
 *   check → Checked    the logits of the model it was given, before any training step
 *   run   → Ran        one forward pass, or one training step, timed inside the contestant
 *
 * Between two lines it must be idle: a thread that spins would slow the others' turns down.
 */

export interface ContestantOptions {
  /** Hugging Face's layout. */
  modelFolder: string
  /** The same model for ONNX Runtime. */
  onnxFile: string
  /** The same with its linear layers in bytes, where a contestant reads it. */
  int8OnnxFile: string
  /** A safetensors file: `pixel_values` [batch, c, h, w] float32, `labels` [batch] int32. */
  inputs: string
  task: 'inference' | 'training'
  threads: number
  /** Learning rate of Adam. */
  learningRate: number
}

export type Request = 'check' | 'run'

export interface Ready {
  /** What it is, with versions. */
  ready: string
  /** The process whose time and memory count, where it is another than the contestant's. */
  pid?: number
}

/** Why this contestant cannot take part on this machine. */
export interface Unavailable {
  unavailable: string
}

export interface Checked {
  /** [batch, numLabels], flat. */
  logits: number[]
}

export interface Ran {
  milliseconds: number
  /** Loss of the training step, before its update. */
  loss?: number
  /** Milliseconds, among those, in which a training step waited for its batch. */
  waiting?: number
}
