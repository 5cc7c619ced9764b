/** Errors on their way out of a worker: structured cloning keeps neither their classes nor what they have besides. */
import { BrokenImageError, type BrokenImageReason, UnreadableImageError } from '../images/broken-image.ts'

export interface SentError {
  name: string
  message: string
  stack?: string
  /** Reason of an image's error. */
  file?: string
  reason?: BrokenImageReason
  cause?: SentError
}

/** Longer chains of causes are cut. */
const mostCauses = 8

export function toSent(error: unknown, depth = 0): SentError {
  if (!(error instanceof Error)) return { name: 'Error', message: String(error) }
  const { name, message, stack, cause } = error
  const { file, reason } = error as Partial<BrokenImageError>
  const isImage = error instanceof BrokenImageError || error instanceof UnreadableImageError
  return {
    ...{ name, message, stack },
    ...(isImage && { file, reason }),
    ...(cause !== undefined && depth < mostCauses && { cause: toSent(cause, depth + 1) }),
  }
}

export function fromSent(sent: SentError): Error {
  const { name, message, stack, file = '', reason = 'damaged' } = sent
  const cause = sent.cause && fromSent(sent.cause)
  if (name === 'BrokenImageError') return Object.assign(new BrokenImageError(file, message, reason, cause), { stack })
  if (name === 'UnreadableImageError') return Object.assign(new UnreadableImageError(file, message, cause), { stack })
  return Object.assign(cause ? new Error(message, { cause }) : new Error(message), {
    ...(name !== 'Error' && { name }),
    stack,
  })
}
