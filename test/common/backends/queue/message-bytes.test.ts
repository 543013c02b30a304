import { describe, expect, it } from 'vitest';
import { messageBytes } from '../../../../common/backends/queue/message-bytes.ts';
import { ConfigurationInvalid } from '../../../../common/errors.ts';

describe('messageBytes', () => {
  it.each([
    ['a', 'a'],
    ['ü', 'ü'],
    ['\ud800x', '\ufffdx'],
  ])('encodes %j', (body, expected) => {
    expect(messageBytes(body, 4, 'topic').toString()).toBe(expected);
  });

  it.each([
    ['', 0],
    ['12345', 5],
    ['üüü', 6],
  ])('refuses %j, of %i bytes, where 1 to 4 are taken', (body, bytes) => {
    expect(() => messageBytes(body, 4, 'topic')).toThrow(ConfigurationInvalid);
    expect(() => messageBytes(body, 4, 'topic')).toThrow(`a message of ${bytes} bytes to topic, which takes 1 to 4`);
  });
});
