/** URLs in place of images: a server that fetched one would reach what its client cannot (SSRF). */
import { images } from './requests.ts'

/**
 * @param port port of this machine on which a listener waits
 * @param path absolute, of a file that is an image
 */
export function addresses(port: number, path: string): string[] {
  const hosts = ['127.0.0.1', 'localhost', '0x7f.1', '2130706433', '0.0.0.0', '[::1]', '[::ffff:127.0.0.1]']
  return [
    ...hosts.map(host => `http://${host}:${port}/`),
    ...['https', 'ftp', 'gopher', 'ws', 'tcp'].map(scheme => `${scheme}://127.0.0.1:${port}/image.jpg`),
    ...[`//127.0.0.1:${port}/`, `127.0.0.1:${port}`, `\\\\127.0.0.1@${port}\\image.jpg`],
    ...[path, `file://${path}`, `file:${path}`, `data:image/jpeg;base64,${images.jpeg.toBase64()}`],
  ]
}
