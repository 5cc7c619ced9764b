/**
 * The events of TensorBoard, as bytes. The numbers are those of the fields in tensorflow's event.proto, summary.proto and
 * tensor.proto; TensorBoard's readers know them since 2015.
 */
import { concat, double, float, message, text, varint } from './protobuf.ts'

export interface EventTime {
  /** Seconds since 1970. */
  wallTime: number
  /** Step of the training run. */
  step: number
}

/** The first event of every file; from version 2 on a restart is told by an event and not guessed from the steps. */
export const fileVersion = (time: EventTime): Uint8Array => concat(header(time), text(3, 'brain.Event:2'))

/** A restart: TensorBoard drops what it has read of this step and of those after it. */
export const sessionStart = (time: EventTime): Uint8Array => concat(header(time), message(7, varint(1, 1)))

/** Numbers by their tags, such as `train/loss`; what is before the slash is the chart's group. */
export function scalars(time: EventTime, values: Record<string, number>): Uint8Array {
  const entries = Object.entries(values).map(([tag, value]) => message(1, text(1, tag), float(2, value)))
  return concat(header(time), message(5, ...entries))
}

/** A Markdown text of the page 'Text'. */
export function markdown(time: EventTime, tag: string, value: string): Uint8Array {
  const metadata = message(9, message(1, text(1, 'text')))
  const tensor = message(8, varint(1, stringType), message(2, message(2, varint(1, 1))), text(8, value)) // shape [1]
  return concat(header(time), message(5, message(1, text(1, tag), tensor, metadata)))
}

/** DT_STRING in types.proto. */
const stringType = 7

const header = ({ wallTime, step }: EventTime): Uint8Array => concat(double(1, wallTime), varint(2, step))
