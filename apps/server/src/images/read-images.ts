/** Reads a request's images: the body is one image, or a form with many as files. */
import type { Context } from 'hono'
import { withBody } from '../body/body.ts'
import { RequestError } from '../errors.ts'
import type { Services } from '../services.ts'
import { checkImage } from './check-image.ts'
import { Form } from './form.ts'

const binary = { type: 'string' as const, format: 'binary' }

/** OpenAPI description of the body; its content is checked by `checkImage`. */
export const imageBody = {
  required: true,
  description:
    'One image, or many as the files of a form. JPEG, PNG, WebP, BMP and Netpbm are recognized by their first bytes.',
  content: {
    'image/*': { schema: binary },
    'application/octet-stream': { schema: binary },
    'multipart/form-data': {
      schema: {
        type: 'object' as const,
        properties: { image: { type: 'array' as const, items: binary } },
        required: ['image'],
      },
    },
  },
}

/** Calls `use` with the request's images. @throws RequestError if the body is not one or more images within the limits */
export async function withImages<Result>(
  context: Context,
  services: Services,
  use: (images: Uint8Array[]) => Promise<Result>,
): Promise<Result> {
  const { limits } = services.config
  const type = context.req.header('content-type') ?? 'application/octet-stream'
  const isForm = /^multipart\/form-data\s*(;|$)/i.test(type)
  if (!isForm && !/^(image\/[\w.+-]+|application\/octet-stream)\s*(;|$)/i.test(type))
    throw new RequestError(
      'unsupported_media_type',
      'Unsupported Content-Type; expected image/*, application/octet-stream or multipart/form-data.',
    )
  const form = isForm ? new Form(type, limits) : undefined
  const options = form
    ? { maxBytes: limits.multipartBytes, watch: (bytes: Uint8Array) => form.watch(bytes) }
    : { maxBytes: limits.imageBytes }
  return withBody(context, services, options, async body => {
    const images = form ? form.files(body) : [body]
    if (images.length === 0)
      throw new RequestError('invalid_request', 'The form has no file; expected one or more images.')
    if (images.length > limits.imagesPerRequest)
      throw new RequestError(
        'too_many_inputs',
        `The request has ${images.length} images; expected at most ${limits.imagesPerRequest}.`,
      )
    for (const image of images) checkImage(image, limits)
    return use(images)
  })
}
