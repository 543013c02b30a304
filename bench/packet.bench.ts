import { createECDH } from 'node:crypto';
import { bench, describe } from 'vitest';
import { ChunkOpener } from '../facilitator/packets/chunk-opener.ts';
import { loadKernel } from '../facilitator/packets/kernel-file.ts';
import { KernelEvaluator } from '../facilitator/prio/kernel-evaluator.ts';
import { shareLayout } from '../facilitator/prio/layout.ts';
import { chunksOf } from '../test/support/chunks.ts';
import { contribute } from '../test/support/contribution.ts';
import { packetKeys } from '../test/support/servers.ts';

/*
 * What packets cost beside the one thing that cannot be made cheaper here: the runtime's ECDH. Read the ratios
 * ("x slower than"), which hold across machines; the times do not. Each bench does 64 packets.
 */

describe.each([20, 250])('64 packets of %i bins', async (bins) => {
  // Each its own r_pit, the dearer case: no weights can be kept from packet to packet.
  const contributions = Array.from({ length: 64 }, (_, i) => contribute('honest', bins, `bench ${i}`, packetKeys));

  const ecdh = createECDH('prime256v1');
  ecdh.setPrivateKey(packetKeys[0][0].scalar);
  bench('ECDH alone', () => {
    for (const { payloads } of contributions) ecdh.computeSecret(payloads[0].subarray(0, 65));
  });

  const [decryptor] = [packetKeys[0][0].decryptor];
  bench('decrypt', () => {
    for (const { payloads } of contributions) decryptor.decrypt(payloads[0]);
  });

  for (const [server, name] of [
    [0, 'first server: decode, decrypt, evaluate, sum'],
    [1, 'second server: decode, decrypt, expand, evaluate, sum'],
  ] as const) {
    const evaluator = new KernelEvaluator(loadKernel(), shareLayout(bins), server === 0);
    const opener = new ChunkOpener(evaluator, [packetKeys[server][0].decryptor]);
    const packets = contributions.map(({ payloads, rPits }, i) => ({
      uuid: `0d1f9d3c-4e5a-4b6c-8d7e-${String(i).padStart(12, '0')}`,
      encrypted_payload: payloads[server],
      encryption_key_id: null,
      r_pit: rPits[server],
      version_configuration: null,
      device_nonce: null,
    }));
    const chunks = await chunksOf(packets);
    bench(name, () => {
      for (const chunk of chunks) opener.open(chunk);
    });
  }
});
