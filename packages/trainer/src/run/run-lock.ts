/** The lock of a run's folder, which one process or tab has at a time. */
export interface RunLock {
  /** @throws when another has taken over the folder */
  requireHeld(): void
  /** Lets others in. */
  release(): void
}
