import { expect, it, vi } from 'vitest';

vi.mock('../../../facilitator/packets/built.ts', () => ({
  builtFile: (name: string): URL => new URL(`file:///nowhere/${name}`),
}));

it('a kernel that the build did not make is missed with the way to make it', async () => {
  const { loadKernel } = await import('../../../facilitator/packets/kernel-file.ts');
  expect(loadKernel).toThrow(
    expect.objectContaining({
      code: 'E_CONFIGURATION',
      message: '/nowhere/facilitator/prio/kernel.wasm cannot be read: `npm run build` makes it',
    }),
  );
});
