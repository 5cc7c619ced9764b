/** The token for a hub as the user has it: from a file or a secret it often ends with a line end. */

/** The token without the white space around it, as huggingface_hub takes it; undefined when there is nothing else. */
export const trimToken = (token: string | undefined): string | undefined => token?.trim() || undefined

/** @throws when it holds what no token can; the token itself is never told */
export function requireToken(token: string): void {
  const wrong = /[^\x21-\x7e]/.exec(token)
  if (!wrong) return
  throw new Error(
    `The hub's token (the option token, HF_TOKEN, or the one that hf auth login stored) holds ${describe(wrong[0])} after ${wrong.index} characters; expected one such as hf_…, of letters, digits and signs, in one line.`,
  )
}

function describe(character: string): string {
  if (/[\r\n]/.test(character)) return 'a line end'
  if (/\s/.test(character)) return 'white space'
  return `the character U+${character.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}`
}
