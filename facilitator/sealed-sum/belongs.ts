import { OwnValidationContradicted } from '../errors.ts';
import type { SealedSumContent } from './content.ts';

/** What our own validation batch says, as far as a sealed sum must agree with it. */
export interface ToldRecord {
  /** By its header. */
  readonly bins: number;
  /** SHA-256 of its packet file as stored. */
  readonly packetFileDigest: Uint8Array;
  /** Validation packets in that file, those about repeats too. */
  readonly packets: number;
}

/**
 * Holds a sealed sum against our own validation batch. Both were written by one execution of intake, or by several that
 * agree; where they do not, the sum may cover other packets than the peer was told of.
 * @param place the batch, as messages name it
 * @throws OwnValidationContradicted
 */
export function requireBelongs(content: SealedSumContent, told: ToldRecord, place: string): void {
  const contradicted = (why: string): never => {
    throw new OwnValidationContradicted(
      `the sealed sum of batch ${place} and our own validation of it do not belong together: ${why}`,
    );
  };
  const sealedBeside = Buffer.from(content.validationDigest);
  if (!sealedBeside.equals(told.packetFileDigest)) {
    const found = Buffer.from(told.packetFileDigest).toString('hex');
    contradicted(`it was made beside packet file ${sealedBeside.toString('hex')} (SHA-256), and ${found} is there`);
  }
  if (content.bins !== told.bins) contradicted(`it has ${content.bins} bins, and ${told.bins} were told`);
  const packets = content.packets - content.leftOut.positions.length;
  if (packets !== told.packets) {
    contradicted(`it counts ${packets} packets with a validation packet, and there are ${told.packets}`);
  }
}
