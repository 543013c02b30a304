const PEM = /^\s*-----BEGIN ([A-Z0-9 ]+)-----\s+([A-Za-z0-9+/=\s]+?)\s*-----END \1-----\s*$/;
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/** The bytes of a text that is one PEM block with this label (RFC 7468), `undefined` if it is anything else. */
export function decodePem(text: string, label: string): Buffer | undefined {
  const [, found, body = ''] = PEM.exec(text) ?? [];
  const base64 = body.replaceAll(/\s+/g, '');
  return found === label && BASE64.test(base64) ? Buffer.from(base64, 'base64') : undefined;
}
