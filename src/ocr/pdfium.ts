/**
 * The functions of PDFium's C API (public/fpdfview.h, fpdf_text.h, fpdf_edit.h) that are used here. Handles and pointers
 * are addresses in the WebAssembly memory, 0 for none; pages and characters count from 0. The package's own types name
 * only some of these, its WebAssembly has them all.
 */
export interface Pdfium {
  readonly HEAPU8: Uint8Array;
  readonly wasmExports: { readonly malloc: (bytes: number) => number; readonly free: (pointer: number) => void };
  readonly _FPDF_LoadMemDocument: (file: number, bytes: number, password: number) => number;
  readonly _FPDF_GetLastError: () => number;
  readonly _FPDF_CloseDocument: (document: number) => void;
  readonly _FPDF_GetPageCount: (document: number) => number;
  readonly _FPDF_LoadPage: (document: number, index: number) => number;
  readonly _FPDF_ClosePage: (page: number) => void;
  readonly _FPDF_GetPageWidthF: (page: number) => number;
  readonly _FPDF_GetPageHeightF: (page: number) => number;
  /** Page coordinates to whole pixels of a drawing of that size; writes two int32. */
  readonly _FPDF_PageToDevice: (
    ...args: [
      page: number,
      left: number,
      top: number,
      width: number,
      height: number,
      rotate: number,
      x: number,
      y: number,
      outX: number,
      outY: number,
    ]
  ) => number;
  readonly _FPDFBitmap_CreateEx: (
    width: number,
    height: number,
    format: number,
    pixels: number,
    stride: number,
  ) => number;
  readonly _FPDFBitmap_FillRect: (
    bitmap: number,
    left: number,
    top: number,
    width: number,
    height: number,
    argb: number,
  ) => void;
  readonly _FPDFBitmap_Destroy: (bitmap: number) => void;
  readonly _FPDF_RenderPageBitmap: (
    ...args: [
      bitmap: number,
      page: number,
      left: number,
      top: number,
      width: number,
      height: number,
      rotate: number,
      flags: number,
    ]
  ) => void;
  readonly _FPDFText_LoadPage: (page: number) => number;
  readonly _FPDFText_ClosePage: (text: number) => void;
  readonly _FPDFText_CountChars: (text: number) => number;
  readonly _FPDFText_GetUnicode: (text: number, index: number) => number;
  /** 1, 0, or -1 for an error. */
  readonly _FPDFText_HasUnicodeMapError: (text: number, index: number) => number;
  /** 1 for white space that PDFium made up from gaps. */
  readonly _FPDFText_IsGenerated: (text: number, index: number) => number;
  readonly _FPDFText_IsHyphen: (text: number, index: number) => number;
  /** Writes four float64 in page coordinates. */
  readonly _FPDFText_GetCharBox: (
    text: number,
    index: number,
    left: number,
    right: number,
    bottom: number,
    top: number,
  ) => number;
  /** Writes two float64 in page coordinates. */
  readonly _FPDFText_GetCharOrigin: (text: number, index: number, x: number, y: number) => number;
  /** Writes six float32: a, b, c, d, e, f. */
  readonly _FPDFText_GetMatrix: (text: number, index: number, matrix: number) => number;
  /** As written in the file, before the matrix. */
  readonly _FPDFText_GetFontSize: (text: number, index: number) => number;
  readonly _FPDFText_GetTextObject: (text: number, index: number) => number;
  readonly _FPDFTextObj_GetTextRenderMode: (object: number) => number;
  readonly _FPDFTextObj_GetFont: (object: number) => number;
  readonly _FPDFPage_CountObjects: (page: number) => number;
  readonly _FPDFPage_GetObject: (page: number, index: number) => number;
  readonly _FPDFFormObj_CountObjects: (form: number) => number;
  readonly _FPDFFormObj_GetObject: (form: number, index: number) => number;
  readonly _FPDFPageObj_GetType: (object: number) => number;
  /** Writes four float32: left, bottom, right, top, in the coordinates of the page or form that holds the object. */
  readonly _FPDFPageObj_GetBounds: (object: number, left: number, bottom: number, right: number, top: number) => number;
}

let loaded: Promise<Pdfium> | undefined;

/** PDFium as WebAssembly, loaded (4 MB, some 100 ms) when the first PDF comes. */
export async function loadPdfium(): Promise<Pdfium> {
  loaded ??= (async () => {
    const { PDFiumLibrary, PDFiumModule } = await import('@hyzyla/pdfium');
    let module: unknown;
    await PDFiumLibrary.initBase({ vendor: async (options) => (module = await PDFiumModule(options)) });
    return module as Pdfium;
  })();
  return loaded;
}

/** After a trap PDFium's memory is in no known state: the next file gets a fresh one. */
export function forgetPdfium(): void {
  loaded = undefined;
}

/**
 * Memory of PDFium for as long as `use` runs.
 *
 * @throws {Error} there is none left
 */
export function withMemory<T>(pdfium: Pdfium, bytes: number, use: (pointer: number) => T): T {
  const pointer = pdfium.wasmExports.malloc(bytes);
  if (pointer === 0) throw new Error(`PDFium has no ${bytes} bytes left`);
  try {
    return use(pointer);
  } finally {
    pdfium.wasmExports.free(pointer);
  }
}

/** PDFium's memory as numbers. To be asked for anew after any call that may have made it grow. */
export const viewOf = (pdfium: Pdfium): DataView => new DataView(pdfium.HEAPU8.buffer);
