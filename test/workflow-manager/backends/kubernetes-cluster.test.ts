import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { ConfigurationInvalid, describeError } from '../../../common/errors.ts';
import { kubeConfigFor, TOKEN } from '../../support/scripted-kube.ts';
import { temporaryDirectory } from '../../support/temp-directory.ts';
import { loadCluster, type ClusterSettings } from '../../../workflow-manager/backends/kubernetes-cluster.ts';

const directory = temporaryDirectory();
afterEach(() => vi.unstubAllEnvs());

async function refused(settings: ClusterSettings): Promise<string> {
  const error: unknown = await loadCluster(settings).catch((err: unknown) => err);
  expect(error).toBeInstanceOf(ConfigurationInvalid);
  return describeError(error);
}

describe('a kubeconfig', () => {
  const good = kubeConfigFor('https://127.0.0.1:6443/');

  it('leads to the API server of its current context', async () => {
    const kubeConfigPath = join(directory(), 'config');
    writeFileSync(kubeConfigPath, good);
    expect((await loadCluster({ kubeConfigPath })).url).toBe('https://127.0.0.1:6443');
  });

  it('must be there', async () => {
    const path = join(directory(), 'config');
    expect(await refused({ kubeConfigPath: path })).toMatch(
      /^kubeconfig .*config cannot be used: see --kube-config-path: ENOENT/,
    );
  });

  it.each([
    ['empty', '', 'cannot be used'],
    ['no YAML', `users:\n  - name: u\n    user: { token: ${TOKEN}\n`, 'malformed YAML in line '],
    ['without a context', good.replace('"current-context":"x"', '"current-context":"y"'), 'no current context'],
    ['without a cluster', good.replace('"name":"c"', '"name":"d"'), 'no current context with a cluster'],
    ['with a cluster without a name', good.replace('"name":"c"', '"name":""'), 'clusters[0].name is missing'],
    ['with a server that is no URL', kubeConfigFor('here'), 'is no URL'],
    [
      'with a server without TLS',
      good.replace('true', 'false').replace('https:', 'http:'),
      'HTTP protocol is not allowed',
    ],
    [
      'with a certificate that is not there',
      good.replace('"server"', '"certificate-authority":"ca.crt","server"'),
      'ENOENT',
    ],
    [
      'with a credential plugin that fails',
      good.replace(`"token":"${TOKEN}"`, '"exec":{"command":"false"}'),
      'cannot be used',
    ],
    [
      'with a credential plugin that prints no JSON',
      good.replace(`"token":"${TOKEN}"`, `"exec":{"command":"echo","args":["${TOKEN}"]}`),
      'malformed JSON',
    ],
  ])('may not be %s', async (_, text, why) => {
    const kubeConfigPath = join(directory(), 'config');
    writeFileSync(kubeConfigPath, text);
    const message = await refused({ kubeConfigPath });
    expect(message).toContain(kubeConfigPath);
    expect(message).toContain('--kube-config-path');
    expect(message).toContain(why);
    expect(message).not.toContain(TOKEN.slice(0, 8));
  });
});

describe('without a kubeconfig', () => {
  it.each([
    [undefined, undefined],
    ['10.0.0.1', undefined],
    [undefined, '443'],
  ])('outside of a pod (host %s, port %s) the way out is named', async (host, port) => {
    vi.stubEnv('KUBERNETES_SERVICE_HOST', host);
    vi.stubEnv('KUBERNETES_SERVICE_PORT', port);
    expect(await refused({})).toMatch(/^this is no pod .*; outside of a cluster give --kube-config-path$/);
  });

  it('in a pod without a service account the way out is named', async () => {
    vi.stubEnv('KUBERNETES_SERVICE_HOST', '10.0.0.1');
    vi.stubEnv('KUBERNETES_SERVICE_PORT', '443');
    expect(await refused({ inClusterRoot: directory() })).toMatch(
      /^the pod's service account cannot be used .* is none mounted\? outside of a cluster give --kube-config-path: ENOENT/,
    );
  });
});
