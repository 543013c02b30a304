import { expect, it } from 'vitest';
import {
  ConfigurationInvalid,
  ObjectMissing,
  PermissionDenied,
  StorageUnavailable,
  UsageError,
} from '../../../common/errors.ts';
import { EXIT_STATUS, exitStatusOf } from '../../../common/runtime/exit-status.ts';

it('there are five', () => {
  expect(EXIT_STATUS).toEqual({ done: 0, failed: 1, usage: 64, permission: 77, configuration: 78 });
});

it.each([
  { err: new UsageError('m'), prepare: 64, run: 64 },
  { err: new PermissionDenied('m'), prepare: 77, run: 1 },
  { err: new ConfigurationInvalid('m'), prepare: 78, run: 1 },
  { err: new StorageUnavailable('m'), prepare: 1, run: 1 },
  { err: new ObjectMissing('m'), prepare: 1, run: 1 },
  { err: new Error('a bug'), prepare: 1, run: 1 },
  { err: 'no error at all', prepare: 1, run: 1 },
  { err: undefined, prepare: 1, run: 1 },
  { err: new Error('wrapped', { cause: new PermissionDenied('m') }), prepare: 77, run: 1 },
  { err: new StorageUnavailable('outermost', { cause: new PermissionDenied('m') }), prepare: 1, run: 1 },
])('$err: $prepare before any work, $run after', ({ err, prepare, run }) => {
  expect(exitStatusOf(err, 'prepare')).toBe(prepare);
  expect(exitStatusOf(err, 'run')).toBe(run);
});
