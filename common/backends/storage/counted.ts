import type { Storage } from '../../ports/storage.ts';
import type { StorageSettings } from './settings.ts';

/** `base`, each of whose calls counts as one request. For storages without requests of their own. */
export function countedStorage(base: Storage, onRequest: NonNullable<StorageSettings['onRequest']>): Storage {
  const put = <T>(write: () => T): T => {
    onRequest('put');
    return write();
  };
  return {
    url: base.url,
    check: (access, signal) => base.check(access, signal),
    list: async function* (options) {
      onRequest('list');
      yield* base.list(options);
    },
    listFolder: async function* (options) {
      onRequest('list');
      yield* base.listFolder(options);
    },
    get: (key, options) => {
      onRequest('get');
      return base.get(key, options);
    },
    put: (key, body, options) => put(() => base.put(key, body, options)),
    createIfAbsent: (key, body, options) => put(() => base.createIfAbsent(key, body, options)),
    replaceIfUnchanged: (key, version, body, options) =>
      put(() => base.replaceIfUnchanged(key, version, body, options)),
    delete: (key, options) => {
      onRequest('delete');
      return base.delete(key, options);
    },
  };
}
