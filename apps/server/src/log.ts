/** One JSON object a line on the standard output. */

/** JSON leaves line ends of Unicode and the terminal's 8-bit codes as they are. */
const unsafe = /[\u007f-\u009f\u2028\u2029]/g

export function log(level: 'info' | 'error', message: string, fields: Record<string, unknown> = {}): void {
  const line = JSON.stringify({ time: new Date().toISOString(), level, message, ...fields })
  process.stdout.write(`${line.replaceAll(unsafe, code => `\\u${code.charCodeAt(0).toString(16).padStart(4, '0')}`)}\n`)
}
