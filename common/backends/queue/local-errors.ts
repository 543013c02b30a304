import { DspError, PermissionDenied, QueueUnavailable } from '../../errors.ts';
import { isRefusal } from '../files/errno.ts';

/**
 * Runs file system calls and names their failures: `PermissionDenied`, `QueueUnavailable`.
 * @param action what we were about, for the message: `publish to file:///dir`
 */
export async function named<T>(action: string, io: () => Promise<T>): Promise<T> {
  try {
    return await io();
  } catch (cause) {
    if (cause instanceof DspError) throw cause;
    throw new (isRefusal(cause) ? PermissionDenied : QueueUnavailable)(`cannot ${action}`, { cause });
  }
}
