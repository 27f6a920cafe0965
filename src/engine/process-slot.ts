import { LEAVE_GRACE_MS, type ProcessEnd, ProcessHandle, type ProcessSettings } from './process-handle.ts';

/** Shortest time between two starts in a slot whose processes keep ending early: a crash loop must not eat the CPU. */
const START_INTERVAL_MS = 1000;

/** Processes in a row that may end before their first page is done and still be followed at once by another. */
const EARLY_ENDS_WITHOUT_WAIT = 1;

/** Why a process was started in place of another: it died, its page passed its deadline, or it grew over its limit. */
export const RESTART_REASONS = ['death', 'deadline', 'memory'] as const;
export type RestartReason = (typeof RESTART_REASONS)[number];

export interface SlotEvents {
  /** A process became ready, or is gone: there may be work to hand out. */
  changed(): void;
  /** A process ended that the engine had not ended. `startFailures` counts those in a row before the first ready one. */
  died(end: ProcessEnd, startFailures: number): void;
}

/**
 * One place of the engine that is always to hold one working process. It starts the next when one ends, and replaces
 * one that grew: the successor warms up beside it and takes over between two pages, so never more than two live here.
 */
export class ProcessSlot {
  readonly #settings: ProcessSettings;
  readonly #events: SlotEvents;
  #current: ProcessHandle | undefined;
  #successor: ProcessHandle | undefined;
  #retired: ProcessHandle | undefined;
  #timer: NodeJS.Timeout | undefined;
  #lastStartAt = -Infinity;
  readonly #restarts: Record<RestartReason, number> = { death: 0, deadline: 0, memory: 0 };
  /** Why the place is empty, when it is. */
  #endedBy: RestartReason = 'death';
  #earlyEnds = 0;
  #startFailures = 0;
  #stopped = false;

  constructor(settings: ProcessSettings, events: SlotEvents) {
    this.#settings = settings;
    this.#events = events;
    this.#current = this.#start();
  }

  /** The process that may be given pages; undefined while its successor waits for its start. */
  get process(): ProcessHandle | undefined {
    return this.#current;
  }

  /** True if a process that has read the sample is in its place. */
  get working(): boolean {
    return this.#current?.state === 'idle' || this.#current?.state === 'busy';
  }

  /** The current process and the successor that warms up, if any. */
  get processes(): ProcessHandle[] {
    return [this.#current, this.#successor].filter((process) => process !== undefined);
  }

  /** True while two processes live here. */
  get replacing(): boolean {
    return this.#successor !== undefined || this.#retired !== undefined;
  }

  /** Processes started after the first, by why. */
  get restarts(): Readonly<Record<RestartReason, number>> {
    return this.#restarts;
  }

  /** Starts a successor for the current process; does nothing while one warms up or if the last ones ended early. */
  replace(): void {
    if (this.#stopped || this.replacing || this.#waitMs() > 0) return;
    this.#settings.log.info(
      { pid: this.#current?.pid, residentBytes: this.#current?.residentBytes },
      'engine process is over its memory limit and will be replaced',
    );
    this.#restarts.memory += 1;
    this.#successor = this.#start();
  }

  /** Lets a ready successor take over from an idle process. To be called before pages are handed out. */
  settle(): void {
    if (this.#successor?.state !== 'idle' || this.#current?.state !== 'idle') return;
    this.#retired = this.#current;
    this.#current = this.#successor;
    this.#successor = undefined;
    void this.#retired.end(LEAVE_GRACE_MS);
  }

  /** Ends every process here for good; one that is idle has `graceMs` to leave. Resolves when all are gone. */
  async stop(graceMs: number): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await Promise.all([this.#current, this.#successor, this.#retired].map((process) => process?.end(graceMs)));
  }

  #start(): ProcessHandle {
    const process = new ProcessHandle(this.#settings);
    this.#lastStartAt = process.startedAt;
    void process.ready.then((ready) => {
      if (!ready) return;
      this.#startFailures = 0;
      this.#events.changed();
    });
    void process.ended.then((end) => this.#onEnded(process, end));
    return process;
  }

  #onEnded(process: ProcessHandle, end: ProcessEnd): void {
    if (process === this.#retired) this.#retired = undefined;
    if (process === this.#successor) this.#successor = undefined;
    if (process === this.#current) {
      // The engine itself ends a process in its place only for a page that passed its deadline.
      this.#endedBy = end.intended ? 'deadline' : 'death';
      this.#current = this.#successor;
      this.#successor = undefined;
    }
    if (end.pagesRead > 0) this.#earlyEnds = 0;
    if (!end.intended) {
      if (end.pagesRead === 0) this.#earlyEnds += 1;
      if (!end.wasReady) this.#startFailures += 1;
      this.#settings.log.error({ pid: process.pid, ...end }, 'engine process ended');
      this.#events.died(end, this.#startFailures);
    }
    this.#fill();
    this.#events.changed();
  }

  #fill(): void {
    if (this.#stopped || this.#current !== undefined || this.#timer !== undefined) return;
    const waitMs = this.#waitMs();
    if (waitMs <= 0) {
      this.#restarts[this.#endedBy] += 1;
      this.#current = this.#start();
      return;
    }
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#fill();
    }, waitMs);
  }

  #waitMs(): number {
    if (this.#earlyEnds <= EARLY_ENDS_WITHOUT_WAIT) return 0;
    return this.#lastStartAt + START_INTERVAL_MS - performance.now();
  }
}
