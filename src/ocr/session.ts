import { InferenceSession, Tensor } from 'onnxruntime-node';

/** Output of a model: values in row-major order of `dims`. */
export interface ModelOutput {
  /** Gone with the next run of the same session: read it before anything else is awaited. */
  readonly data: Float32Array;
  readonly dims: readonly number[];
}

/** The only view that the pipeline has of the runtime; tests put a fake in its place. */
export interface Session {
  /** Runs the model on one float input of shape `dims` and gives its first output. */
  run(input: Float32Array, dims: readonly number[]): Promise<ModelOutput>;
}

/**
 * Loads an ONNX model, for one CPU thread unless said otherwise. The number of threads changes no bit of the output
 * (measured on the detector); a second thread takes the detector from 107 to 72 ms, if it does not spin for 5 % more CPU
 * time (spinning: 68 ms, 52 % more).
 *
 * One thread, because two processes with one thread each read 1.2-1.8 times as many pages as one with two, and because
 * onnxruntime otherwise sees the host's cores instead of the container's share. No memory pattern: it plans for shapes
 * that repeat, and ours rarely do. No CPU arena: it doubles resident memory (874 against 317 MB with the float pack
 * after 30 widths) for 7 % of the detector's time.
 */
export async function openSession(path: string, threads = 1): Promise<Session> {
  const session = await InferenceSession.create(path, {
    executionProviders: ['cpu'],
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    graphOptimizationLevel: 'all',
    enableMemPattern: false,
    enableCpuMemArena: false,
    logSeverityLevel: 3,
    extra: { session: { intra_op: { allow_spinning: '0' } } },
  });
  const [inputName] = session.inputNames;
  const [outputName] = session.outputNames;
  if (inputName === undefined || outputName === undefined) throw new Error('the model has no input or no output');
  let last: Float32Array | undefined;
  return {
    async run(input, dims) {
      const results = await session.run({ [inputName]: new Tensor('float32', input, dims) });
      const output = results[outputName];
      if (output?.type !== 'float32') throw new Error(`the model's output ${outputName} is not float32`);
      // A line's output is several megabytes in memory of its own. Giving the last one back here takes most of the garbage
      // collector's work away, which otherwise is several percent of all time.
      (last?.buffer as ArrayBuffer | undefined)?.transfer(0);
      last = output.data as Float32Array;
      return { data: last, dims: output.dims };
    },
  };
}
