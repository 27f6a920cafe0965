/** Loaded into the service before its own code by `soak --leak BYTES`: keeps so many bytes of every request for ever. */
import { subscribe } from 'node:diagnostics_channel';

const bytes = Number(process.env.PLANTED_LEAK_BYTES);
const kept: Buffer[] = [];

subscribe('http.server.request.start', () => {
  // Filled, or the system would not have to find memory for it.
  kept.push(Buffer.alloc(bytes, kept.length & 0xff));
});
