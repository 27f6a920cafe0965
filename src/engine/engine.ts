import { OcrError } from '../errors.ts';
import type { Page, ReadOptions } from '../ocr/page.ts';
import { ENGINE_PROCESS } from '../package-files.ts';
import {
  abortError,
  closingError,
  noProcessError,
  pageDeadlineError,
  pageKillsError,
  queueFullError,
  startingError,
} from './engine-errors.ts';
import type { EngineLog } from './engine-log.ts';
import { LineExchange } from './line-exchange.ts';
import { PageJob } from './page-job.ts';
import { LEAVE_GRACE_MS, type ProcessEnd, type ProcessHandle, type ProcessSettings } from './process-handle.ts';
import { ProcessSlot, RESTART_REASONS, type RestartReason } from './process-slot.ts';
import type { ReadOutcome, ReadTask } from './protocol.ts';

export interface EngineOptions {
  /** Engine processes, at least 1; one page each at a time. */
  readonly processes: number;
  /** Pages that may wait for a process, at least 0. */
  readonly queueLength: number;
  /** Time one page may spend in a process before that process is killed. */
  readonly pageTimeoutMs: number;
  /** Resident memory at which a process is replaced between two pages. */
  readonly memoryLimitBytes: number;
  readonly modelsDir: string;
  readonly modelPack: string;
  readonly log: EngineLog;
  /** Environment of the engine processes (`LD_PRELOAD` for another allocator, say); nothing else reaches them. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Program of an engine process, which must speak `protocol.ts`; tests give a fake. */
  readonly entry?: URL;
  /** Time from the start of a process to the sample read right. */
  readonly startTimeoutMs?: number;
  /** Time for `close()`: pages that are not done by then are rejected, and every process is gone soon after. */
  readonly closeGraceMs?: number;
}

export interface EngineStatus {
  /**
   * True from the moment when every process has read the sample, as long as one of them can work. False after five
   * unintended deaths in a minute until every process has read the sample again, and from the start of `close()`.
   */
  readonly ready: boolean;
  /** Processes that work or warm up: one more than configured during a replacement, fewer just after a death. */
  readonly processes: readonly EngineProcessStatus[];
  /** Accepted pages that no process has begun. */
  readonly waiting: number;
  /** Processes started in place of another (death, deadline, memory) since the start. Only grows. */
  readonly restarts: number;
  /** The same by why; together they are `restarts`. */
  readonly restartsBy: Readonly<Record<RestartReason, number>>;
}

export interface EngineProcessStatus {
  readonly pid: number;
  readonly state: 'starting' | 'idle' | 'busy';
  /** As of its last page; 0 while it starts. */
  readonly residentBytes: number;
}

/** Reads pages in a fixed number of killable processes. */
export interface Engine {
  /**
   * Reads one page. Pages are begun in the order in which they came.
   *
   * @param image encoded image file; must not be changed until the promise settles, and may be given back then
   * @param signal ends the waiting at once; a page that is already being read keeps its process until it is done or killed
   * @throws {OcrError} what `readPage` says of the picture; OVERLOADED when the queue is full; DEADLINE_EXCEEDED when the
   *   signal's time or the page's passed; UNAVAILABLE while starting or closing, or when aborted; ENGINE_CRASHED when two
   *   processes died while they read it
   */
  read(image: Uint8Array, options: ReadOptions, signal: AbortSignal): Promise<Page>;
  status(): EngineStatus;
  /**
   * Refuses what `read` would refuse now, so that nothing is received or fetched for it.
   *
   * @throws {OcrError} UNAVAILABLE while starting or closing, or when no process works
   */
  refuseIfUnavailable(): void;
  /**
   * Resolves when every process has read the sample.
   *
   * @throws {Error} with the reason, for the operator, after three processes of a slot have failed to start; the engine
   *   goes on trying until it is closed. Also when it is closed before.
   */
  whenReady(): Promise<void>;
  /**
   * Refuses new pages, finishes those it has accepted within `closeGraceMs`, and ends every process. Resolves when all
   * are gone, and never rejects. Further calls give the same promise.
   */
  close(): Promise<void>;
}

/** Failed starts in a row in one slot that are enough to call it hopeless: once is bad luck, and each takes seconds. */
const MAX_START_FAILURES = 3;

/** Unintended deaths within `DEATH_WINDOW_MS` after which the engine calls itself not ready (own choice; see EngineStatus). */
const MAX_DEATHS = 5;
const DEATH_WINDOW_MS = 60_000;

/** Processes that a page may take with it: the second proves that the first was not chance, a third would be abuse. */
const MAX_DEATHS_OF_PAGE = 2;

/** The embedded pack loads and reads the sample in 1-2 s on one core; this allows for a float pack on a starved machine. */
const DEFAULT_START_TIMEOUT_MS = 60_000;

/** Leaves 5 s of the 25 s after SIGTERM for the rest of the process. */
const DEFAULT_CLOSE_GRACE_MS = 20_000;

/** Starts the processes at once; `whenReady()` tells when they can work. */
export function startEngine(options: EngineOptions): Engine {
  return new ProcessEngine(options);
}

class ProcessEngine implements Engine {
  readonly #options: EngineOptions;
  readonly #slots: readonly ProcessSlot[];
  readonly #exchange: LineExchange;
  /** Accepted and not begun, first come first. */
  readonly #waiting: PageJob[] = [];
  /** Accepted and not answered, waiting ones included. */
  readonly #unanswered = new Set<PageJob>();
  readonly #firstReady = Promise.withResolvers<undefined>();
  readonly #drained = Promise.withResolvers<undefined>();
  #deathTimes: number[] = [];
  #lastTaskId = 0;
  #started = false;
  #stable = true;
  #closing: Promise<void> | undefined;

  constructor(options: EngineOptions) {
    this.#options = options;
    // Nobody has to wait for it.
    this.#firstReady.promise.catch(() => undefined);
    this.#exchange = new LineExchange(options.pageTimeoutMs);
    const settings: ProcessSettings = {
      entry: options.entry ?? ENGINE_PROCESS,
      args: ['--models-dir', options.modelsDir, '--model-pack', options.modelPack, '--of', String(options.processes)],
      environment: options.environment ?? {},
      startTimeoutMs: options.startTimeoutMs ?? DEFAULT_START_TIMEOUT_MS,
      log: options.log,
      onSharing: (process, message) => {
        this.#exchange.hear(process, message);
        if (message.type === 'help-wanted') this.#lendIdle();
      },
    };
    const events = {
      changed: () => this.#advance(),
      died: (end: ProcessEnd, startFailures: number) => this.#onDeath(end, startFailures),
    };
    this.#slots = Array.from({ length: options.processes }, () => new ProcessSlot(settings, events));
  }

  async read(image: Uint8Array, options: ReadOptions, signal: AbortSignal): Promise<Page> {
    if (signal.aborted) throw abortError(signal, 'waiting');
    this.refuseIfUnavailable();
    const startsAtOnce = this.#waiting.length === 0 && this.#idleProcess() !== undefined;
    if (!startsAtOnce && this.#waiting.length >= this.#options.queueLength) {
      throw queueFullError(this.#options.processes, this.#options.queueLength);
    }
    const job = new PageJob(image, options, signal, () => this.#onAnswered(job));
    this.#unanswered.add(job);
    this.#waiting.push(job);
    this.#advance();
    return job.page;
  }

  status(): EngineStatus {
    const processes: EngineProcessStatus[] = [];
    for (const { pid, state, residentBytes } of this.#slots.flatMap((slot) => slot.processes)) {
      if (state !== 'ending') processes.push({ pid, state, residentBytes });
    }
    const restartsBy = { death: 0, deadline: 0, memory: 0 };
    for (const { restarts } of this.#slots) {
      for (const reason of RESTART_REASONS) restartsBy[reason] += restarts[reason];
    }
    return {
      ready: this.#started && this.#stable && this.#closing === undefined && this.#slots.some(({ working }) => working),
      processes,
      waiting: this.#waiting.length,
      restarts: restartsBy.death + restartsBy.deadline + restartsBy.memory,
      restartsBy,
    };
  }

  whenReady(): Promise<void> {
    return this.#firstReady.promise;
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const endAt = performance.now() + (this.#options.closeGraceMs ?? DEFAULT_CLOSE_GRACE_MS);
    this.#firstReady.reject(new Error('the engine was closed before it was ready'));
    const timer = setTimeout(() => {
      for (const job of [...this.#unanswered]) job.reject(closingError());
    }, endAt - performance.now());
    if (this.#unanswered.size > 0) await this.#drained.promise;
    clearTimeout(timer);
    const graceMs = Math.max(Math.min(endAt - performance.now(), LEAVE_GRACE_MS), 0);
    await Promise.all(this.#slots.map((slot) => slot.stop(graceMs)));
  }

  refuseIfUnavailable(): void {
    if (this.#closing !== undefined) throw closingError();
    if (this.#slots.some(({ working }) => working)) return;
    // A single death is made good in seconds, which a page may wait for. Without a first start there is no telling.
    if (this.#started && this.#stable) return;
    throw this.#started ? noProcessError() : startingError();
  }

  /** One that helps another can be given a page, too, and begins it after the line in work. */
  #idleProcess(): ProcessHandle | undefined {
    const idle = this.#idleProcesses();
    return idle.find((process) => this.#exchange.pageHelpedBy(process) === undefined) ?? idle[0];
  }

  #idleProcesses(): ProcessHandle[] {
    return this.#slots.flatMap(({ process }) => (process?.state === 'idle' ? [process] : []));
  }

  /** Pages come first; what is idle then may help with those that are being read. */
  #lendIdle(): void {
    if (this.#waiting.length === 0) this.#exchange.lend(this.#idleProcesses());
  }

  /** Brings everything up to date; called whenever a process became ready, idle or nothing, and when a page came. */
  #advance(): void {
    for (const slot of this.#slots) slot.settle();
    if (this.#slots.every(({ working }) => working)) {
      this.#started = true;
      this.#stable = true;
      this.#firstReady.resolve(undefined);
    }
    this.#replaceGrown();
    for (let process = this.#idleProcess(); process !== undefined; process = this.#idleProcess()) {
      const job = this.#waiting.shift();
      if (job === undefined) return this.#lendIdle();
      void this.#readIn(process, job);
    }
  }

  /** One replacement at a time, so that memory holds at most one process more than configured. */
  #replaceGrown(): void {
    if (this.#closing !== undefined || this.#slots.some(({ replacing }) => replacing)) return;
    const limit = this.#options.memoryLimitBytes;
    // A process that is over the limit before its first page would be followed by another such, without end.
    const grown = this.#slots.find(
      ({ process }) => process?.state === 'idle' && process.pagesRead > 0 && process.residentBytes > limit,
    );
    grown?.replace();
  }

  async #readIn(process: ProcessHandle, job: PageJob): Promise<void> {
    job.stage = 'reading';
    this.#lastTaskId += 1;
    const { image, options } = job;
    const { pageTimeoutMs } = this.#options;
    const task: ReadTask = {
      type: 'read',
      id: this.#lastTaskId,
      imageBytes: image.length,
      options,
      shared: job.deaths === 0,
      coreToSpare: this.#waiting.length === 0 && this.#idleProcesses().length > 1,
    };
    const result = await process.read(task, image, pageTimeoutMs);
    if (result.kind === 'outcome') answer(job, result.outcome);
    else if (result.kind === 'deadline') job.reject(pageDeadlineError(pageTimeoutMs));
    else this.#retry(job);
    this.#advance();
  }

  /** The next process, whichever it is, is another one: the one that died does not come back. */
  #retry(job: PageJob): void {
    if (!job.wanted) return;
    job.deaths += 1;
    if (job.deaths >= MAX_DEATHS_OF_PAGE) return job.reject(pageKillsError(job.deaths));
    job.stage = 'waiting';
    this.#waiting.unshift(job);
  }

  #onAnswered(job: PageJob): void {
    this.#unanswered.delete(job);
    if (job.stage === 'waiting') {
      const index = this.#waiting.indexOf(job);
      if (index >= 0) this.#waiting.splice(index, 1);
    }
    if (this.#unanswered.size === 0 && this.#closing !== undefined) this.#drained.resolve(undefined);
  }

  #onDeath(end: ProcessEnd, startFailures: number): void {
    const now = performance.now();
    this.#deathTimes = [...this.#deathTimes.filter((time) => now - time < DEATH_WINDOW_MS), now];
    if (this.#stable && this.#started && this.#deathTimes.length >= MAX_DEATHS) {
      this.#stable = false;
      this.#options.log.error({ deaths: this.#deathTimes.length }, 'engine processes keep dying, not ready');
    }
    if (startFailures < MAX_START_FAILURES) return;
    this.#firstReady.reject(new Error(`an engine process failed to start ${startFailures} times: ${end.reason}`));
  }
}

function answer(job: PageJob, outcome: ReadOutcome): void {
  if (outcome.ok) return job.resolve(outcome.page);
  const { code, message, detail } = outcome;
  job.reject(new OcrError(code, message, detail === undefined ? {} : { detail }));
}
