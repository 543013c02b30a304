import { describe, expect, it } from 'vitest';
import { requireBelongs, type ToldRecord } from '../../../facilitator/sealed-sum/belongs.ts';
import { sha256, SMALL_SUM } from '../../support/sealed-sums.ts';

const TOLD: ToldRecord = { bins: 3, packetFileDigest: SMALL_SUM.validationDigest, packets: 3 };

describe('a sealed sum', () => {
  it('belongs to the validation batch that was written beside it', () => {
    expect(() => requireBelongs(SMALL_SUM, TOLD, 'a/b')).not.toThrow();
  });

  it.each([
    ['packets', { packetFileDigest: sha256('another') }, 'beside packet file'],
    ['bins', { bins: 4 }, '3 bins, and 4 were told'],
    ['number of packets', { packets: 4 }, 'counts 3 packets with a validation packet, and there are 4'],
  ])('contradicts a validation batch of other %s', (_, change, message) => {
    expect(() => requireBelongs(SMALL_SUM, { ...TOLD, ...change }, 'a/b')).toThrow(
      expect.objectContaining({ code: 'E_OWN_VALIDATION', message: expect.stringContaining(message) }),
    );
  });
});
