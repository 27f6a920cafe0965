/**
 * A picture, or a PDF where pages are read: its address (`http://`, `https://` or `s3://`, fetched by the service), or
 * its bytes. A `File` of an `<input>` is a Blob.
 */
export type Picture = string | URL | Blob | ArrayBuffer | Uint8Array;

const ADDRESS = /^(https?|s3):\/\//i;

/**
 * The form that the service takes: the picture, and options as texts; those that are undefined are left out.
 *
 * @throws {TypeError} for a string that is no address
 */
export function pictureForm(picture: Picture, options: Readonly<Record<string, string | undefined>>): FormData {
  const form = new FormData();
  if (typeof picture === 'string' || picture instanceof URL) {
    const address = String(picture);
    if (!ADDRESS.test(address)) {
      throw new TypeError(
        'A picture given as text must be an http://, https:// or s3:// address; give the bytes of a file, or a Blob, instead of its path or base64.',
      );
    }
    form.set('url', address);
  } else {
    // A name makes it a file for every server; the service looks at the bytes, not at name or type.
    form.set('img', picture instanceof Blob ? picture : new Blob([picture as BlobPart]), 'picture');
  }
  for (const [name, value] of Object.entries(options)) if (value !== undefined) form.set(name, value);
  return form;
}
