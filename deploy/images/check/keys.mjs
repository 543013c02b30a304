// Throw-away keys, as the programs take them.
import { createECDH, generateKeyPairSync } from 'node:crypto';

export const signingKey = () => generateKeyPairSync('ec', { namedCurve: 'P-256' });
export const privateKey = (pair) => pair.privateKey.export({ type: 'pkcs8', format: 'der' }).toString('base64');
export const publicKey = (pair) => pair.publicKey.export({ type: 'spki', format: 'der' }).toString('base64');

/** What opens packets, and the point of it that those who seal them know. */
export function packetKey() {
  const ecdh = createECDH('prime256v1');
  const point = ecdh.generateKeys();
  // node:crypto drops leading zeros of the scalar, which has 32 bytes in a key.
  const scalar = Buffer.concat([Buffer.alloc(32), ecdh.getPrivateKey()]).subarray(-32);
  return { point: point.toString('base64'), key: Buffer.concat([point, scalar]).toString('base64') };
}
