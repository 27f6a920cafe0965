import type { Config } from '../config.ts';
import { engineOptions } from '../engine-options.ts';
import { startEngine } from '../engine/engine.ts';
import { SAMPLE_IMAGE_BASE64 } from '../engine/sample.ts';
import { inspectModelPack } from '../models/inspect-model-pack.ts';
import { findPack, readManifest } from '../models/manifest.ts';
import { ModelPackError } from '../models/model-pack-error.ts';
import { type CommandContext, writeLine } from './context.ts';
import {
  checkAllocator,
  checkMemory,
  checkNode,
  checkProcessor,
  checkSettingsFound,
  checkThreads,
  type Finding,
  type FindingStatus,
} from './doctor-checks.ts';
import { quietLog } from './engine-messages.ts';
import { EXIT_STATUS, type ExitStatus } from './exit-status.ts';
import { inspectMachine } from './machine.ts';
import { howToMend } from './models-command.ts';
import { checkSettings } from './settings-check.ts';

/** Options of `general-ocr doctor`. */
export interface DoctorArguments {
  readonly json?: true;
}

/** `general-ocr doctor`: looks at everything that the service needs. Ends with `failed` if there is a fault. */
export async function doctor(options: DoctorArguments, { env, stdout }: CommandContext): Promise<ExitStatus> {
  const machine = inspectMachine();
  const settings = await checkSettings(env);
  const { config } = settings;
  const models = await checkModels(config);
  const findings = [
    checkNode(machine),
    checkProcessor(machine),
    checkThreads(machine, config),
    checkMemory(machine, config),
    checkAllocator(machine),
    checkSettingsFound(settings),
    models,
    // Without its models a process would be started three times over for the same answer.
    ...(models.status === 'fault' ? [] : [await checkSample(config)]),
  ];
  const count = (status: FindingStatus): number => findings.filter((finding) => finding.status === status).length;
  const faults = count('fault');
  if (options.json) {
    await writeLine(stdout, JSON.stringify({ healthy: faults === 0, findings }, undefined, 2));
  } else {
    for (const finding of findings) await writeLine(stdout, describe(finding));
    await writeLine(stdout, `\nfaults: ${faults}, advice: ${count('advice')}`);
  }
  return faults === 0 ? EXIT_STATUS.done : EXIT_STATUS.failed;
}

function describe({ status, check, found, change }: Finding): string {
  const line = `${status.padEnd(7)} ${check.padEnd(10)} ${found}`;
  return change === undefined ? line : `${line}\n${' '.repeat(19)}-> ${change}`;
}

/** The chosen pack, file by file, against the hashes of the manifest. */
async function checkModels({ OCR_MODELS_DIR, OCR_MODEL_PACK }: Config): Promise<Finding> {
  const check = 'models';
  try {
    const pack = findPack(await readManifest(OCR_MODELS_DIR), OCR_MODEL_PACK);
    const files = await inspectModelPack(OCR_MODELS_DIR, pack);
    const wrong = files.filter(({ state }) => state !== 'ok');
    if (wrong.length === 0)
      return { check, status: 'ok', found: `${pack.name}: ${files.length} files with the right hash` };
    const found = wrong.map(({ file, state }) => `${file} is ${state}`).join('; ');
    return { check, status: 'fault', found, change: howToMend(pack) };
  } catch (error) {
    if (!(error instanceof ModelPackError)) throw error;
    return { check, status: 'fault', found: error.message, change: 'Set OCR_MODEL_PACK and OCR_MODELS_DIR right.' };
  }
}

/** Starts one engine process, which reads the sample right or does not start, and has it read the sample once more. */
async function checkSample(config: Config): Promise<Finding> {
  const check = 'sample';
  const engine = startEngine({
    ...engineOptions(config),
    processes: 1,
    queueLength: 1,
    log: quietLog,
  });
  const start = performance.now();
  try {
    await engine.whenReady();
    const startMs = Math.round(performance.now() - start);
    const sample = Buffer.from(SAMPLE_IMAGE_BASE64, 'base64');
    const page = await engine.read(sample, { maxSide: config.OCR_MAX_SIDE }, new AbortController().signal);
    const [process] = engine.status().processes;
    const mebibytes = Math.round((process?.residentBytes ?? 0) / 2 ** 20);
    const found = `read right; start ${startMs} ms, then ${Math.round(page.timings.totalMs)} ms, ${mebibytes} MiB`;
    return { check, status: 'ok', found };
  } catch (error) {
    const found = error instanceof Error ? error.message : String(error);
    return {
      check,
      status: 'fault',
      found,
      change: 'See the findings above. If there are none, the installation is damaged: install it again.',
    };
  } finally {
    await engine.close();
  }
}
