import { execFile } from 'node:child_process';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ADMIN_TOKEN, startKubeApiServer, type KubeApiServer } from '../../services/kube-apiserver.ts';
import { tool } from '../../services/service.ts';
import type { KubeObject } from './objects.ts';

/** What kubectl said. */
export interface Said {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** An API server that knows the custom resources of KEDA, External Secrets and the Prometheus operator. */
export interface Cluster extends AsyncDisposable {
  readonly kube: KubeApiServer;
  /** As an administrator. @param input for `--filename -` */
  kubectl(args: readonly string[], input?: string): Promise<Said>;
  /** Creates the namespaces among these, which a dry run needs to be there. */
  makeNamespaces(objects: readonly KubeObject[]): Promise<void>;
}

export const CLUSTER_TOOLS = ['kubectl', 'kubernetes-crds', 'kube-apiserver', 'etcd'] as const;

/** Takes some ten seconds. */
export async function startCluster(): Promise<Cluster> {
  const kube = await startKubeApiServer();
  const config = join(kube.directory, 'administrator.json');
  writeFileSync(config, kube.kubeConfig(ADMIN_TOKEN));
  const kubectl: Cluster['kubectl'] = (args, input) =>
    new Promise((resolve, reject) => {
      // Its cache of what the server knows goes where the server's own things are.
      const env = { PATH: process.env['PATH'], HOME: kube.directory, KUBECONFIG: config };
      const child = execFile(tool('kubectl'), args, { env, maxBuffer: 1 << 26 }, (error, stdout, stderr) => {
        if (error && child.exitCode === null) reject(error);
        else resolve({ status: child.exitCode ?? 0, stdout, stderr });
      });
      child.stdin?.end(input ?? '');
    });
  const succeed = async (args: readonly string[], input?: string): Promise<void> => {
    const { status, stderr } = await kubectl(args, input);
    if (status !== 0) throw new Error(`kubectl ${args.join(' ')}: ${stderr}`);
  };
  const cluster: Cluster = {
    kube,
    kubectl,
    async makeNamespaces(objects) {
      const namespaces = objects.filter(({ kind }) => kind === 'Namespace');
      await succeed(
        ['apply', '--server-side', '--filename', '-'],
        namespaces.map((it) => JSON.stringify(it)).join('\n'),
      );
    },
    [Symbol.asyncDispose]: () => kube[Symbol.asyncDispose](),
  };
  try {
    const directory = tool('kubernetes-crds');
    const files = readdirSync(directory).flatMap((name) => ['--filename', join(directory, name)]);
    await succeed(['create', ...files]);
    await succeed(['wait', '--for=condition=Established', 'customresourcedefinitions', '--all', '--timeout=60s']);
    return cluster;
  } catch (err) {
    await kube[Symbol.asyncDispose]();
    throw err;
  }
}
