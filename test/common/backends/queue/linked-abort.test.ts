import { getEventListeners } from 'node:events';
import { describe, expect, it } from 'vitest';
import { LinkedAbort } from '../../../../common/backends/queue/linked-abort.ts';

describe('a linked signal', () => {
  it.each([0, 1])('is aborted with signal %i, for its reason', (which) => {
    const controllers = [new AbortController(), new AbortController()];
    using linked = new LinkedAbort(...controllers.map(({ signal }) => signal));
    expect(linked.signal.aborted).toBe(false);
    const reason = new Error('enough');
    controllers[which]?.abort(reason);
    expect(linked.signal.reason).toBe(reason);
  });

  it('is aborted at once if one is', () => {
    using linked = new LinkedAbort(new AbortController().signal, AbortSignal.abort('before'));
    expect(linked.signal.reason).toBe('before');
  });

  it('leaves nothing behind', () => {
    const { signal } = new AbortController();
    {
      using linked = new LinkedAbort(signal);
      expect(linked.signal.aborted).toBe(false);
      expect(getEventListeners(signal, 'abort')).toHaveLength(1);
    }
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
  });
});
