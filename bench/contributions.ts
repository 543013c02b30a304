import { parseEncryptionKey } from '../facilitator/crypto/keys.ts';
import { encryptPayload } from '../facilitator/crypto/ecies.ts';
import { splitContribution, type RandomBytes } from '../facilitator/prio/client.ts';
import { P, pow } from '../facilitator/prio/field.ts';
import { shareLayout } from '../facilitator/prio/layout.ts';
import type { DeploymentKeys } from '../deploy/local/deployment-keys.ts';
import type { ServerName } from '../deploy/local/places.ts';

/** What one client sends. */
export interface Contribution {
  readonly payloads: Readonly<Record<ServerName, Buffer>>;
  readonly rPit: number;
}

/** More bytes than this are not kept for the sake of variety. */
const MAX_BYTES = 64 * 1024 * 1024;
const MAX_COUNT = 1000;

/**
 * Contributions that differ, as many as may stand for a batch: encryption is too slow to make a million of them. Each
 * has its own evaluation point, the dearer case, as nothing can be kept from one packet for the next.
 */
export function makeContributions(bins: number, keys: DeploymentKeys, random: RandomBytes): Contribution[] {
  const { length, points } = shareLayout(bins);
  const count = Math.min(MAX_COUNT, Math.floor(MAX_BYTES / (4 * length)));
  const pha = parseEncryptionKey(keys.packet.pha.point, 'packet key of pha');
  const facilitator = parseEncryptionKey(keys.packet.facilitator.point, 'packet key of facilitator');
  return Array.from({ length: count }, () => {
    const bits = Array.from(random(bins), (byte) => byte & 1);
    const { first, second } = splitContribution(bits, random);
    const payloads = {
      pha: encryptPayload(pha, first, random),
      facilitator: encryptPayload(facilitator, second, random),
    };
    return { payloads, rPit: evaluationPoint(2 * points, random) };
  });
}

/** No root of unity, about which servers say nothing. */
function evaluationPoint(order: number, random: RandomBytes): number {
  for (;;) {
    const rPit = Buffer.from(random(4)).readUInt32LE() % P;
    if (pow(rPit, order) !== 1) return rPit;
  }
}
