import type { EngineStatus } from '../../src/engine/engine.ts';

/** What an engine says of itself that can work and has done nothing yet. For engines that only pretend. */
export const IDLE_STATUS: EngineStatus = {
  ready: true,
  processes: [],
  waiting: 0,
  restarts: 0,
  restartsBy: { death: 0, deadline: 0, memory: 0 },
};
