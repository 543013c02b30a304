/**
 * A file that the build made, by its path in dist/. Compiled code runs there; sources, as tests run them, look there
 * from their place in the repository.
 */
export function builtFile(name: string): URL {
  const root = import.meta.url.endsWith('.ts') ? '../../dist/' : '../../';
  return new URL(root + name, import.meta.url);
}
