/** Whether a host name or address is this machine's own: no other machine reaches it. */
export const isLoopback = (name: string): boolean =>
  /^(localhost|.+\.localhost|127\.\d{1,3}\.\d{1,3}\.\d{1,3}|\[?::1\]?)$/i.test(name)
