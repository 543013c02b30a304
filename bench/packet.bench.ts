import { createECDH } from 'node:crypto';
import { bench, describe } from 'vitest';
import { PacketOpener } from '../facilitator/packet-opener.ts';
import { contribute } from '../test/support/contribution.ts';
import { packetKeys } from '../test/support/servers.ts';

/*
 * What one packet costs beside the one thing that cannot be made cheaper here: the runtime's ECDH. Read the ratios
 * ("x slower than"), which hold across machines; the times do not.
 */

describe.each([20, 250])('intake of one packet of %i bins', (bins) => {
  // Each its own r_pit, the dearer case: no weights can be kept from packet to packet.
  const contributions = Array.from({ length: 64 }, (_, i) => contribute('honest', bins, `bench ${i}`, packetKeys));
  let next = 0;
  const one = (): (typeof contributions)[number] => contributions[next++ % contributions.length]!;

  const ecdh = createECDH('prime256v1');
  ecdh.setPrivateKey(packetKeys[0][0].scalar);
  bench('ECDH alone', () => {
    ecdh.computeSecret(one().payloads[0].subarray(0, 65));
  });

  const [decryptor] = [packetKeys[0][0].decryptor];
  bench('decrypt', () => {
    decryptor.decrypt(one().payloads[0]);
  });

  for (const [server, name] of [
    [0, 'first server: decrypt, unpack, evaluate'],
    [1, 'second server: decrypt, expand, evaluate'],
  ] as const) {
    const opener = new PacketOpener(bins, server, [packetKeys[server][0].decryptor]);
    bench(name, () => {
      const { payloads, rPits } = one();
      opener.open({
        uuid: '0d1f9d3c-4e5a-4b6c-8d7e-9f0a1b2c3d4e',
        encrypted_payload: payloads[server],
        encryption_key_id: null,
        r_pit: rPits[server],
        version_configuration: null,
        device_nonce: null,
      });
    });
  }
});
