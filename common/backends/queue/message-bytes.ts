import { ConfigurationInvalid } from '../../errors.ts';

/**
 * The bytes of a message: as they are, or of a text in UTF-8, unpaired surrogates replaced. Asked before it is sent,
 * since a service refuses a whole request for the fault of one message in it.
 * @param url of the topic, for the error
 * @throws ConfigurationInvalid for a message that the service never takes: an empty one, or one of more than `maxBytes`
 */
export function messageBytes(body: string | Uint8Array, maxBytes: number, url: string): Buffer {
  const bytes = typeof body === 'string' ? Buffer.from(body) : Buffer.from(body.buffer, body.byteOffset, body.length);
  if (bytes.length >= 1 && bytes.length <= maxBytes) return bytes;
  throw new ConfigurationInvalid(
    `cannot publish a message of ${bytes.length} bytes to ${url}, which takes 1 to ${maxBytes} bytes`,
  );
}
