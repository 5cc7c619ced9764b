/** What index.ts has of small pictures, in browsers. */
export type { EncodePictureOptions } from './encode-picture.ts'
export { encodePicture } from './encode-picture-browser.ts'
