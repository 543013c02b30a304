import type { Storage } from '../../ports/storage.ts';

/** The storage of that URL, made by `load` once it is first used: programs load only what talks to their own clouds. */
export function deferredStorage(url: string, load: () => Promise<Storage>): Storage {
  let loading: Promise<Storage> | undefined;
  const loaded = (): Promise<Storage> => (loading ??= load());
  return {
    url,
    check: async (...args) => (await loaded()).check(...args),
    list: async function* (options) {
      yield* (await loaded()).list(options);
    },
    listFolder: async function* (options) {
      yield* (await loaded()).listFolder(options);
    },
    get: async (...args) => (await loaded()).get(...args),
    put: async (...args) => (await loaded()).put(...args),
    createIfAbsent: async (...args) => (await loaded()).createIfAbsent(...args),
    replaceIfUnchanged: async (...args) => (await loaded()).replaceIfUnchanged(...args),
    delete: async (...args) => (await loaded()).delete(...args),
  };
}
