/** What reaches nobody but this machine. */

/** Names and addresses of this machine for itself. */
export const isLoopback = (name: string): boolean =>
  /^(localhost|.+\.localhost|127\.\d{1,3}\.\d{1,3}\.\d{1,3}|\[?::1\]?)$/i.test(name)
