import { fork, type ChildProcess } from 'node:child_process';
import { Writable } from 'node:stream';
import { allocatorEnvironment } from './allocator.ts';
import { type EngineLog, logOutput } from './engine-log.ts';
import { sendPicture } from './picture-pipe.ts';
import type { EngineMessage, EngineRequest, LineImage, LineSharingMessage, ReadOutcome, ReadTask } from './protocol.ts';

export interface ProcessSettings {
  readonly entry: URL;
  readonly args: readonly string[];
  /** The whole environment of the process besides `FIXED_ENVIRONMENT`: nothing is inherited. */
  readonly environment: Readonly<Record<string, string>>;
  /** Time from start to `ready` before the process is killed as hung. */
  readonly startTimeoutMs: number;
  readonly log: EngineLog;
  /** Hears what working processes say about lines that they share. */
  readonly onSharing: (process: ProcessHandle, message: LineSharingMessage) => void;
}

/** `ending` from the moment when the process may get no more work; it may still be alive. */
export type ProcessState = 'starting' | 'idle' | 'busy' | 'ending';

export type ReadResult =
  | { readonly kind: 'outcome'; readonly outcome: ReadOutcome }
  /** The page's time passed; the process has been sent SIGKILL and may be alive for some milliseconds more. */
  | { readonly kind: 'deadline' }
  /** The process ended by itself, or by somebody else's hand (the kernel's, when memory is short). */
  | { readonly kind: 'death' };

export interface ProcessEnd {
  /** True if the engine ended it: replaced, closed, or killed for a page that passed its deadline. */
  readonly intended: boolean;
  readonly wasReady: boolean;
  /** Outcomes given, failures included. */
  readonly pagesRead: number;
  /** For the log and for `whenReady()`, never for a caller. */
  readonly reason: string;
}

/** onnxruntime-node sends telemetry from 1.29 on unless told before it loads. */
const FIXED_ENVIRONMENT = { ORT_DISABLE_TELEMETRY: '1', ...allocatorEnvironment() };

/**
 * V8 marks its whole heap as soon as less is left below its limit for old objects than new ones may take: by itself it gives those
 * up to 2 x 64 MB and the old ones some 36 MB, of which a page needs 12, so that it marked three times a second on four threads.
 * With 2 x 8 MB for new objects and 64 MB for the rest it collects what a page leaves behind and little else. On 24 pages read six times
 * by two processes side by side: 12.7 s of processor time for the pages instead of 13.5, 280 MB at most instead of 319;
 * 2 x 32 and 128 MB took 12.7 s as well, but all processes grew by 19 % in half an hour.
 */
const V8_HEAP = ['--max-semi-space-size=8', '--initial-heap-size=64'];

/** An idle process leaves in a few milliseconds when its channel closes; one that has not in a second is stuck. */
export const LEAVE_GRACE_MS = 1000;

interface Reading {
  readonly id: number;
  readonly timer: NodeJS.Timeout;
  settle(result: ReadResult): void;
}

/** One engine process as the server process sees it, from fork to the moment when nothing of it is left. */
export class ProcessHandle {
  readonly startedAt = performance.now();
  /** True once it has read the sample, false if it ended before. Never rejects. */
  readonly ready: Promise<boolean>;
  /** The process is gone, reaped, and its last message has been heard. Never rejects. */
  readonly ended: Promise<ProcessEnd>;

  readonly #child: ChildProcess | undefined;
  readonly #log: EngineLog;
  readonly #onSharing: ProcessSettings['onSharing'];
  readonly #settleReady: (ready: boolean) => void;
  readonly #settleEnded: (end: ProcessEnd) => void;
  #state: ProcessState = 'starting';
  #residentBytes = 0;
  #reading: Reading | undefined;
  #pagesRead = 0;
  #wasReady = false;
  #intended = false;
  #reason: string | undefined;
  /** Lines of other processes' pages that it has not answered, since its last page. */
  #openLines = 0;
  /** Kills a process that hangs while it starts, while it helps or while it leaves. */
  #watchdog: NodeJS.Timeout;

  constructor(settings: ProcessSettings) {
    ({ promise: this.ready, resolve: this.#settleReady } = Promise.withResolvers<boolean>());
    ({ promise: this.ended, resolve: this.#settleEnded } = Promise.withResolvers<ProcessEnd>());
    this.#log = settings.log;
    this.#onSharing = settings.onSharing;
    this.#watchdog = setTimeout(() => {
      this.#reason = `was not ready after ${settings.startTimeoutMs} ms`;
      this.#kill();
    }, settings.startTimeoutMs);
    this.#child = this.#fork(settings);
  }

  /** 0 if the process could not be started at all. */
  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  get state(): ProcessState {
    return this.#state;
  }

  /** Resident set size after its last page as the process itself measured it; 0 before it is ready. */
  get residentBytes(): number {
    return this.#residentBytes;
  }

  /** Id of the page that it reads now. */
  get page(): number | undefined {
    return this.#reading?.id;
  }

  /** Outcomes given, failures included. */
  get pagesRead(): number {
    return this.#pagesRead;
  }

  /**
   * Has one page read. Only an idle process may be asked. At `timeoutMs`, sending included, the process is killed.
   * Never rejects.
   */
  read(task: ReadTask, image: Uint8Array, timeoutMs: number): Promise<ReadResult> {
    if (this.#state !== 'idle') throw new Error(`engine process ${this.pid} was given a page while ${this.#state}`);
    this.#state = 'busy';
    // What it was helping with is left; the page has a deadline of its own.
    clearTimeout(this.#watchdog);
    this.#openLines = 0;
    const { promise, resolve } = Promise.withResolvers<ReadResult>();
    const timer = setTimeout(() => {
      this.#log.warn({ pid: this.pid, timeoutMs }, 'page passed its deadline, engine process killed');
      this.#reason = `killed: a page passed its deadline of ${timeoutMs} ms`;
      this.#intended = true;
      this.#kill();
      this.#settleReading({ kind: 'deadline' });
    }, timeoutMs);
    this.#reading = { id: task.id, timer, settle: resolve };
    this.#send(task);
    void this.#sendImage(image);
    return promise;
  }

  /** Has an idle process read a line of another one's page; after `timeoutMs` without an answer it is killed. */
  readLine(line: LineImage, timeoutMs: number): void {
    if (this.#openLines === 0) this.#watchLines(timeoutMs);
    this.#openLines += 1;
    this.post(line);
  }

  /** Sends what needs no answer. If the process is gone, that is seen elsewhere. */
  post(message: EngineRequest): void {
    if (this.#child?.connected) this.#send(message);
  }

  /**
   * Ends it: an idle process is asked to leave and is killed after `graceMs`; any other has nothing to finish and is
   * killed at once. Resolves when it is gone.
   */
  end(graceMs: number): Promise<ProcessEnd> {
    this.#intended = true;
    if (this.#state === 'idle' && graceMs > 0) this.#leave(graceMs, 'did not leave when asked');
    else this.#kill();
    return this.ended;
  }

  #fork(settings: ProcessSettings): ChildProcess | undefined {
    let child: ChildProcess;
    try {
      child = fork(settings.entry, settings.args, {
        serialization: 'advanced',
        // Flags of the server process (an inspector's port, a test runner's loader) are not the child's.
        execArgv: V8_HEAP,
        env: { ...settings.environment, ...FIXED_ENVIRONMENT },
        stdio: ['ignore', 'pipe', 'pipe', 'ipc', 'pipe'],
      });
    } catch (error) {
      // Node throws for some of the reasons (ENOMEM) and emits 'error' for the others (EAGAIN).
      queueMicrotask(() => this.#onGone(`could not be started: ${String(error)}`));
      return undefined;
    }
    const pid = child.pid;
    if (child.stdout) logOutput(child.stdout, (line) => this.#log.info({ pid, line }, 'engine process output'));
    if (child.stderr) logOutput(child.stderr, (line) => this.#log.warn({ pid, line }, 'engine process output'));
    // What breaks it off ends the page, and is heard of by whoever sends.
    child.stdio.at(-1)?.on('error', () => undefined);
    child.on('message', (message) => this.#onMessage(message as EngineMessage));
    child.on('disconnect', () => this.#abandon('closed its channel'));
    child.on('error', (error) => {
      if (child.pid === undefined) this.#onGone(`could not be started: ${error.message}`);
      else this.#abandon(`channel failed: ${error.message}`);
    });
    const gone = (code: number | null, signal: NodeJS.Signals | null): void =>
      this.#onGone(signal === null ? `exited with code ${code}` : `ended by ${signal}`);
    // 'exit' may come before the last message, and an outcome that was sent in time must count: so it is 'close' that
    // tells. After a disconnect() of ours, though, Node 24 never emits 'close', and no message counts any more.
    child.on('close', gone);
    child.on('exit', (code, signal) => {
      if (this.#state === 'ending') gone(code, signal);
    });
    return child;
  }

  #onMessage(message: EngineMessage): void {
    // The page of a process that is being killed has been answered, and its slot will be given to another.
    if (this.#state === 'ending') return;
    if (message.type === 'failed') {
      this.#reason = message.reason;
      return;
    }
    if (message.type !== 'ready' && message.type !== 'outcome') return this.#onSharingMessage(message);
    this.#residentBytes = message.residentBytes;
    if (message.type === 'ready' && this.#state === 'starting') {
      clearTimeout(this.#watchdog);
      this.#state = 'idle';
      this.#wasReady = true;
      this.#settleReady(true);
    } else if (message.type === 'outcome' && message.id === this.#reading?.id) {
      this.#state = 'idle';
      this.#pagesRead += 1;
      this.#settleReading({ kind: 'outcome', outcome: message.outcome });
    }
  }

  /** Readings come from an idle process, the rest from the process of the page that it is about; all else is outdated. */
  #onSharingMessage(message: LineSharingMessage): void {
    if (message.type === 'reading') {
      if (this.#state !== 'idle') return;
      this.#openLines = Math.max(this.#openLines - 1, 0);
      if (this.#openLines === 0) clearTimeout(this.#watchdog);
      else this.#watchdog.refresh();
    } else if (message.page !== this.page) return;
    this.#onSharing(this, message);
  }

  #watchLines(timeoutMs: number): void {
    clearTimeout(this.#watchdog);
    this.#watchdog = setTimeout(() => {
      this.#reason = `killed: did not read a line in ${timeoutMs} ms`;
      this.#kill();
    }, timeoutMs);
  }

  /** A process that is just dying fails here (EPIPE, ERR_IPC_CHANNEL_CLOSED); 'close' follows and settles the page. */
  #send(message: EngineRequest): void {
    const onError = (error: unknown): void => this.#abandon(`could not be sent a page: ${String(error)}`);
    try {
      this.#child?.send(message, (error) => {
        if (error !== null) onError(error);
      });
    } catch (error) {
      // The serializer throws at once, for an image that cannot be cloned (a detached buffer, say).
      onError(error);
    }
  }

  async #sendImage(image: Uint8Array): Promise<void> {
    const pipe = this.#child?.stdio.at(-1);
    if (!(pipe instanceof Writable)) return;
    try {
      await sendPicture(pipe, image);
    } catch (error) {
      this.#abandon(`could not be sent a picture: ${String(error)}`);
    }
  }

  #settleReading(result: ReadResult): void {
    clearTimeout(this.#reading?.timer);
    this.#reading?.settle(result);
    this.#reading = undefined;
  }

  /** It cannot be talked to any more. Its exit is most likely on its way, so its own exit code is waited for. */
  #abandon(reason: string): void {
    if (this.#state === 'ending') return;
    this.#leave(LEAVE_GRACE_MS, reason);
  }

  #leave(graceMs: number, reasonIfStuck: string): void {
    this.#state = 'ending';
    clearTimeout(this.#watchdog);
    this.#watchdog = setTimeout(() => {
      this.#reason ??= reasonIfStuck;
      this.#kill();
    }, graceMs);
    if (this.#child?.connected) this.#child.disconnect();
  }

  #kill(): void {
    this.#state = 'ending';
    this.#child?.kill('SIGKILL');
  }

  /** May be called twice, for 'exit' and for 'close'; the second changes nothing. */
  #onGone(how: string): void {
    this.#state = 'ending';
    clearTimeout(this.#watchdog);
    this.#settleReading({ kind: 'death' });
    this.#settleReady(false);
    const reason = this.#reason === undefined ? how : `${this.#reason} (${how})`;
    this.#settleEnded({
      intended: this.#intended,
      wasReady: this.#wasReady,
      pagesRead: this.#pagesRead,
      reason,
    });
  }
}
