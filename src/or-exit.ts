/** Faults of the settings are for the operator at the terminal: readable lines, not JSON, and an exit code of their own. */
export function orExit<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    const faults = error instanceof Error ? error.message : String(error);
    process.stderr.write(`The settings are not valid:\n${faults.replace(/^/gm, '  ')}\n`);
    process.exit(2);
  }
}
