/** Faults that the first value of an image triggers in the faulty model; `delay` is added to milliseconds. */
import { PIXELS } from './tiny-model.ts'

export const FAULTS = {
  throw: 1001,
  hang: 1002,
  nan: 1003,
  wrongCount: 1004,
  die: 1005,
  sicken: 1006,
  delay: 2000,
} as const

export const inputWith = (first: number): { pixelValues: Float32Array } => {
  const pixelValues = new Float32Array(PIXELS)
  pixelValues[0] = first
  return { pixelValues }
}
