import { deflateSync } from 'node:zlib';

/** Points to an object of the file. */
export type Reference = string & { readonly __brand?: 'reference' };

/**
 * The file structure of PDF 1.5 (ISO 32000-1, section 7.5) and no more: numbered objects, their table, the trailer. PDF
 * libraries bring fonts, forms and parsers of several megabytes for what takes these lines.
 */
export class PdfFile {
  readonly #objects: Buffer[] = [];

  /** Keeps a number for an object that others have to point to before it is complete. */
  reserve(): Reference {
    return `${this.#objects.push(Buffer.alloc(0))} 0 R`;
  }

  /** @param body the object as PDF writes it, ASCII */
  add(body: string, reference: Reference = this.reserve()): Reference {
    this.#objects[Number.parseInt(reference, 10) - 1] = Buffer.from(body, 'latin1');
    return reference;
  }

  /** @param entries of its dictionary but `Length`; `data` is written as it is */
  addStream(data: Uint8Array, entries: string): Reference {
    const reference = this.reserve();
    this.#objects[Number.parseInt(reference, 10) - 1] = Buffer.concat([
      Buffer.from(`<< ${entries} /Length ${data.length} >>\nstream\n`, 'latin1'),
      data,
      Buffer.from('\nendstream', 'latin1'),
    ]);
    return reference;
  }

  /** Like `addStream`, compressed. */
  addFlateStream(data: Uint8Array | string, entries = ''): Reference {
    return this.addStream(deflateSync(data), `${entries} /Filter /FlateDecode`);
  }

  /** The whole file; the same objects give the same bytes. */
  finish(root: Reference, info: Reference): Buffer {
    // The comment's bytes over 127 tell transfers that this is no text (7.5.2).
    const parts: Uint8Array[] = [Buffer.from('%PDF-1.5\n%\xe2\xe3\xcf\xd3\n', 'latin1')];
    let length = parts[0].length;
    const offsets = this.#objects.map((body, i) => {
      const offset = length;
      const object = [Buffer.from(`${i + 1} 0 obj\n`), body, Buffer.from('\nendobj\n')];
      for (const part of object) length += part.length;
      parts.push(...object);
      return offset;
    });
    const table = offsets.map((offset) => `${String(offset).padStart(10, '0')} 00000 n \n`).join('');
    const size = offsets.length + 1;
    const tail = `xref\n0 ${size}\n0000000000 65535 f \n${table}trailer\n<< /Size ${size} /Root ${root} /Info ${info} >>\nstartxref\n${length}\n%%EOF\n`;
    return Buffer.concat([...parts, Buffer.from(tail, 'latin1')]);
  }
}
