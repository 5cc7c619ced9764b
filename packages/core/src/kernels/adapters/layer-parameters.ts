/** The parameters of an encoder layer, in the one order in which the kernels take them (EncoderLayerTensors in C++). */
export const layerParameters = [
  'normBeforeWeight',
  'normBeforeBias',
  'queryWeight',
  'keyWeight',
  'valueWeight',
  'queryBias',
  'keyBias',
  'valueBias',
  'projectionWeight',
  'projectionBias',
  'normAfterWeight',
  'normAfterBias',
  'upWeight',
  'upBias',
  'downWeight',
  'downBias',
] as const

/** Name of a layer's parameter. */
export type LayerParameter = (typeof layerParameters)[number]

/** What the kernels take for an array that is not there. */
export const ABSENT: Float32Array = new Float32Array(0)
