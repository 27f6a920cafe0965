/**
 * Waits for work that cannot be stopped (a lookup in libuv's thread pool, a credential provider), but no longer than
 * the signal allows. The work itself goes on; its late result or failure is dropped.
 *
 * @throws `signal.reason` once the signal is aborted
 */
export async function abortable<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const onAbort = (): void => reject(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  if (signal.aborted) onAbort();
  try {
    return await Promise.race([aborted, work]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
