/**
 * Field numbers of ONNX's protobuf messages (onnx.proto, unchanged since IR version 1): `ModelProto.metadata_props` is a
 * repeated `StringStringEntryProto { key, value }`.
 */
const METADATA_PROPS = 14;
const ENTRY_KEY = 1;
const ENTRY_VALUE = 2;

/** Wire types of protobuf; 3 and 4 (groups) are not used by ONNX. */
const VARINT = 0;
const FIXED_64 = 1;
const LENGTH_DELIMITED = 2;
const FIXED_32 = 5;

interface Field {
  readonly number: number;
  /** The content of a length-delimited field; empty for the others, which nobody here asks for. */
  readonly content: Uint8Array;
}

/**
 * The metadata entries of an ONNX model (`character` holds PP-OCR's dictionary). Read by hand because onnxruntime-node does not
 * give them; the graph is skipped, not parsed.
 *
 * @throws {RangeError} when the bytes are no protobuf message
 */
export function readOnnxMetadata(model: Uint8Array): Map<string, string> {
  const entries = new Map<string, string>();
  for (const field of fieldsOf(model)) {
    if (field.number !== METADATA_PROPS) continue;
    let key = '';
    let value = '';
    for (const part of fieldsOf(field.content)) {
      if (part.number === ENTRY_KEY) key = textOf(part.content);
      if (part.number === ENTRY_VALUE) value = textOf(part.content);
    }
    entries.set(key, value);
  }
  return entries;
}

/** A byte order mark is kept: in a dictionary it is a character. */
function textOf(bytes: Uint8Array): string {
  return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
}

function* fieldsOf(message: Uint8Array): Generator<Field> {
  let at = 0;
  const varint = (): number => {
    // Multiplied, not shifted: a length may need more than 31 bits. 2^53 is beyond every file.
    for (let value = 0, scale = 1; scale <= 2 ** 49; scale *= 128) {
      const byte = message[at++];
      if (byte === undefined) break;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
    throw new RangeError('not a protobuf message: a number does not end');
  };
  const take = (length: number): Uint8Array => {
    if (at + length > message.length) throw new RangeError('not a protobuf message: a field reaches beyond the end');
    at += length;
    return message.subarray(at - length, at);
  };
  while (at < message.length) {
    const tag = varint();
    const number = Math.floor(tag / 8);
    const wireType = tag % 8;
    let content = new Uint8Array(0);
    if (wireType === LENGTH_DELIMITED) content = new Uint8Array(take(varint()));
    else if (wireType === FIXED_64) take(8);
    else if (wireType === FIXED_32) take(4);
    else if (wireType === VARINT) skipVarint();
    else throw new RangeError(`not a protobuf message: wire type ${wireType}`);
    yield { number, content };
  }

  /** A negative 64-bit number has ten bytes, more than `varint` can give exactly; its value is of no interest. */
  function skipVarint(): void {
    for (let length = 1; length <= 10; length += 1) {
      const byte = message[at++];
      if (byte !== undefined && byte < 0x80) return;
    }
    throw new RangeError('not a protobuf message: a number does not end');
  }
}
