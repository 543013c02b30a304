import { createECDH, generateKeyPairSync } from 'node:crypto';
import type { ServerName } from './places.ts';

/** A batch signing key, both halves in base64 DER. */
export interface SigningPair {
  readonly pkcs8: string;
  readonly spki: string;
}

/** A packet encryption key: base64 of the 65-byte point, and of point and scalar. */
export interface PacketPair {
  readonly point: string;
  readonly private: string;
}

/** Every key of a deployment. Kept in one file that only its owner can read; real servers never share one. */
export interface DeploymentKeys {
  readonly ingestor: SigningPair;
  readonly signing: Readonly<Record<ServerName, SigningPair>>;
  readonly packet: Readonly<Record<ServerName, PacketPair>>;
}

export function generateKeys(): DeploymentKeys {
  return {
    ingestor: signingPair(),
    signing: { pha: signingPair(), facilitator: signingPair() },
    packet: { pha: packetPair(), facilitator: packetPair() },
  };
}

function signingPair(): SigningPair {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return {
    pkcs8: privateKey.export({ type: 'pkcs8', format: 'der' }).toString('base64'),
    spki: publicKey.export({ type: 'spki', format: 'der' }).toString('base64'),
  };
}

function packetPair(): PacketPair {
  const ecdh = createECDH('prime256v1');
  const point = ecdh.generateKeys();
  // node:crypto drops leading zeros of the scalar; its place in the key is 32 bytes wide.
  const scalar = Buffer.concat([Buffer.alloc(32), ecdh.getPrivateKey()]).subarray(-32);
  return { point: point.toString('base64'), private: Buffer.concat([point, scalar]).toString('base64') };
}
