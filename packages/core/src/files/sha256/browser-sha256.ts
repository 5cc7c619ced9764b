/** SHA-256 in JavaScript: the browser's own, crypto.subtle, takes a file only whole, in one more copy. */
import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex } from '@noble/hashes/utils.js'
import type { CreateSha256 } from './sha256.ts'

export const createSha256: CreateSha256 = () => {
  const hash = sha256.create()
  return {
    update: bytes => void hash.update(bytes as Uint8Array<ArrayBuffer>),
    hex: () => bytesToHex(hash.digest()),
  }
}
