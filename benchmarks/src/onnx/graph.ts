/** Builds an ONNX graph node by node: each call adds one node and returns the name of its output. */
import { type Encoded, floatField, intField, messageField, stringField } from './protobuf.ts'

/** A whole number is written as ONNX's int; wrap a real one in `{ float }`. */
export type Attribute = number | { float: number } | readonly number[]

export interface NodeOptions {
  attributes?: Record<string, Attribute>
  /** Name of the node and its output. @default made from the operator */
  name?: string
  /** How many outputs it has; the second's name is the first's with `_1`, and so on. @default 1 */
  outputs?: number
}

/** An input or output of the graph, float32; a string in its shape is a free dimension. */
export interface GraphValue {
  name: string
  shape: readonly (number | string)[]
}

/** TensorProto.DataType */
const dataType = { float32: 1, int8: 3, int64: 7 } as const

export class OnnxGraph {
  readonly #nodes: Encoded = []
  readonly #initializers: Encoded = []
  #count = 0

  /** Adds a node; '' among the inputs leaves an optional one out. */
  node(operator: string, inputs: readonly string[], options: NodeOptions = {}): string {
    const { attributes = {}, name = `${operator}_${this.#count++}`, outputs = 1 } = options
    const more = Array.from({ length: outputs - 1 }, (_, i) => `${name}_${i + 1}`)
    const fields = [
      ...inputs.flatMap(input => stringField(1, input)),
      ...[name, ...more].flatMap(output => stringField(2, output)),
      ...stringField(3, name),
      ...stringField(4, operator),
      ...Object.entries(attributes).flatMap(([key, value]) => messageField(5, encodeAttribute(key, value))),
    ]
    this.#nodes.push(...messageField(1, fields))
    return name
  }

  /** A float32 constant. */
  weight(shape: readonly number[], data: Float32Array): string {
    return this.#constant(dataType.float32, shape, new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
  }

  /** An int8 constant. */
  bytes(shape: readonly number[], data: Int8Array): string {
    return this.#constant(dataType.int8, shape, new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
  }

  /** An int64 constant, such as a shape: a vector, or a scalar with shape []. */
  ints(values: readonly number[], shape: readonly number[] = [values.length]): string {
    return this.#constant(dataType.int64, shape, new Uint8Array(BigInt64Array.from(values, BigInt).buffer))
  }

  /**
   * The ONNX file (a ModelProto), with its weights inside. At most 2 GiB, protobuf's limit.
   *
   * @param output names a node
   */
  encode(input: GraphValue, output: GraphValue): Encoded {
    const graph = [
      ...this.#nodes,
      ...stringField(2, 'vit'),
      ...this.#initializers,
      ...messageField(11, encodeValue(input)),
      ...messageField(12, encodeValue(output)),
    ]
    return [
      ...intField(1, 8), // the IR version that came with operator set 17
      ...messageField(7, graph),
      ...messageField(8, [...stringField(1, ''), ...intField(2, 17)]), // ONNX's own operators, the set of version 17
    ]
  }

  #constant(type: number, shape: readonly number[], bytes: Uint8Array): string {
    const name = `constant_${this.#count++}`
    const fields = [
      ...shape.flatMap(size => intField(1, size)),
      ...intField(2, type),
      ...stringField(8, name),
      ...messageField(9, [bytes]),
    ]
    this.#initializers.push(...messageField(5, fields))
    return name
  }
}

/** AttributeProto */
function encodeAttribute(name: string, value: Attribute): Encoded {
  const type = { float: 1, int: 2, ints: 7 }
  if (typeof value === 'number') return [...stringField(1, name), ...intField(3, value), ...intField(20, type.int)]
  if ('float' in value) return [...stringField(1, name), ...floatField(2, value.float), ...intField(20, type.float)]
  return [...stringField(1, name), ...value.flatMap(item => intField(8, item)), ...intField(20, type.ints)]
}

/** ValueInfoProto of a float32 tensor */
function encodeValue({ name, shape }: GraphValue): Encoded {
  const dimensions = shape.flatMap(size =>
    messageField(1, typeof size === 'number' ? intField(1, size) : stringField(2, size)),
  )
  const tensorType = [...intField(1, dataType.float32), ...messageField(2, dimensions)]
  return [...stringField(1, name), ...messageField(2, messageField(1, tensorType))]
}
