import type { RecordBlock, ValidationBlock } from '../codec/record-block.ts';
import { decodeValidations } from '../codec/validation-block.ts';
import type { PacketStream } from './packet-stream.ts';

/**
 * The packets of a validation batch, in file order, to be read once.
 * @throws as `PacketStream.blocks`
 */
export async function* validationsOf(stream: PacketStream): AsyncGenerator<ValidationBlock> {
  for await (const block of stream.blocks) yield await decoded(stream, block);
}

async function decoded(stream: PacketStream, block: RecordBlock): Promise<ValidationBlock> {
  try {
    return decodeValidations(stream.format, block);
  } catch (err) {
    return stream.fail(err);
  }
}
