import { writeFileSync } from 'node:fs';
import { get } from 'node:https';
import { join } from 'node:path';
import { ADMIN_TOKEN, type KubeApiServer } from './kube-apiserver.ts';
import { startService, tool, type Service } from './service.ts';

/** What makes Jobs and pods; no nodes, no garbage collection. */
const CONTROLLERS = ['cronjob-controller', 'job-controller', 'deployment-controller', 'replicaset-controller'];

/** Guard tests by `withoutTools('…', 'kube-controller-manager', 'kube-apiserver', 'etcd')`. Takes some two seconds. */
export function startKubeControllerManager(kube: KubeApiServer): Promise<Service> {
  const config = join(kube.directory, 'controller-manager.json');
  writeFileSync(config, kube.kubeConfig(ADMIN_TOKEN));
  return startService({
    name: 'kube-controller-manager',
    command: tool('kube-controller-manager'),
    protocol: 'https',
    args: (port, directory) => [
      `--kubeconfig=${config}`,
      '--bind-address=127.0.0.1',
      `--secure-port=${port}`,
      `--cert-dir=${directory}`,
      `--controllers=${CONTROLLERS.join()}`,
      '--leader-elect=false',
      '--authentication-skip-lookup=true',
      '--profiling=false',
    ],
    isReady: isHealthy,
  });
}

/** Its certificate is one that it has made for itself. */
function isHealthy(url: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const request = get(`${url}/healthz`, { rejectUnauthorized: false, agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    request.on('error', reject);
  });
}
