import { describe, expect, it } from 'vitest';
import { ObjectMissing, StorageUnavailable } from '../../../common/errors.ts';
import { failureChain } from '../../../facilitator/worker/failure-chain.ts';

describe('the chain of an error', () => {
  it('has every cause with its code, message and stack', () => {
    const socket = Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:1'), { code: 'ECONNREFUSED' });
    const library = Object.assign(new TypeError('fetch failed', { cause: socket }), { code: 503 });
    const chain = failureChain(new StorageUnavailable('s3://x failed', { cause: library }));
    const stack = expect.stringMatching(/^ *at .*failure-chain\.test\.ts/);
    expect(chain).toEqual([
      { name: 'StorageUnavailable', code: 'E_STORAGE_UNAVAILABLE', message: 's3://x failed', stack },
      { name: 'TypeError', code: '503', message: 'fetch failed', stack },
      { name: 'Error', code: 'ECONNREFUSED', message: 'connect ECONNREFUSED 127.0.0.1:1', stack },
    ]);
  });

  it('has what an AggregateError holds', () => {
    const both = new AggregateError([new Error('IPv4', { cause: new Error('deeper') }), new Error('IPv6')], 'both');
    const chain = failureChain(new ObjectMissing('none', { cause: both }));
    expect(chain.map(({ message }) => message)).toEqual(['none', 'both', 'IPv4', 'deeper', 'IPv6']);
  });

  it.each([
    ['text', 'thrown', { name: 'string', message: 'thrown' }],
    ['nothing', undefined, { name: 'undefined', message: 'undefined' }],
  ])('takes %s for what it is', (_, thrown, link) => {
    expect(failureChain(thrown)).toEqual([link]);
  });

  it('ends where it leads back to itself', () => {
    const first = new Error('first');
    first.cause = new Error('second', { cause: first });
    expect(failureChain(first)).toHaveLength(2);
  });

  it('is no longer than twelve, whatever it was given', () => {
    let err = new Error('x'.repeat(1_000_000));
    for (let i = 0; i < 100; i++) err = new Error('y'.repeat(100_000), { cause: err });
    const chain = failureChain(err);
    expect(chain).toHaveLength(12);
    expect(JSON.stringify(chain).length).toBeLessThan(12 * 4200);
  });

  it('holds no secret, neither in messages nor in stacks', () => {
    const secret = 'MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgZ1Zk3xQ9';
    const err = new Error(`sent Authorization: Bearer ${secret}`);
    err.stack = `Error: x\n    at eval (${secret})`;
    expect(JSON.stringify(failureChain(err))).not.toContain(secret.slice(0, 20));
  });
});
