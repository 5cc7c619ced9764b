/** Asking what a file is, of servers that know HEAD and of those that do not. */
import { announcedSize, ask, type Server, type Silence } from './hub-request.ts'

/** Statuses of servers, and of signed addresses, that take GET alone. */
const withoutHead: ReadonlySet<number> = new Set([400, 403, 405, 501])

/** The answer without its body, and the size it gives the file, where it does. */
export async function askWhatIs(
  server: Server,
  url: string,
  silence: Silence,
): Promise<{ response: Response; size: number | undefined }> {
  const head = await ask(server, url, { method: 'HEAD', silence })
  if (!withoutHead.has(head.status)) return { response: head, size: announcedSize(head) }
  const response = await ask(server, url, { range: '0-0', silence }) // one byte
  await response.body?.cancel()
  const [, total] = /\/(\d+)$/.exec(response.headers.get('content-range') ?? '') ?? []
  const inRange = total === undefined ? undefined : Number(total)
  return { response, size: response.status === 206 ? inRange : announcedSize(response) }
}

/** Sites of one page answer every address with it. */
export const isWebPage = ({ headers }: Response): boolean => /^text\/html\b/i.test(headers.get('content-type') ?? '')
