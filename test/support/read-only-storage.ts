import type { Storage } from '../../common/ports/storage.ts';

/** `base`, but every attempt to change it fails, by an error that no code of ours expects. */
export function readOnlyStorage(base: Storage): Storage {
  const refuse = (method: string) => async (key: string) => {
    throw new Error(`${method} of ${key} in a storage that must not change`);
  };
  return {
    url: base.url,
    check: (access, signal) => base.check(access, signal),
    list: (options) => base.list(options),
    listFolder: (options) => base.listFolder(options),
    get: (key, options) => base.get(key, options),
    put: refuse('put'),
    createIfAbsent: refuse('createIfAbsent'),
    replaceIfUnchanged: refuse('replaceIfUnchanged'),
    delete: refuse('delete'),
  };
}
