import { generateKeyPairSync } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { join } from 'node:path';
import { freePort, startService, tool, type Service } from './service.ts';

/** An answer of the API server. */
export interface KubeAnswer {
  /** HTTP. */
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

/** A Kubernetes API server with RBAC on an etcd of its own. No controllers: what Jobs are told to do, nobody does. */
export interface KubeApiServer extends AsyncDisposable {
  /** `https://127.0.0.1:PORT`. */
  readonly url: string;
  readonly port: number;
  /** Scratch, gone with the service. */
  readonly directory: string;
  /** PEM: whose signature its certificate has. */
  readonly certificateAuthority: string;
  /** Asks it something, as an administrator by default. @param path begins with `/api` */
  ask(method: string, path: string, body?: unknown, token?: string): Promise<KubeAnswer>;
  /** The text of a kubeconfig. @param server where to find the API server, if not at its own address */
  kubeConfig(token: string, server?: string): string;
}

/** Bearer token of a user in `system:masters`. */
export const ADMIN_TOKEN = 'token-of-the-administrator';

/** Guard tests by `withoutTools('…', 'kube-apiserver', 'etcd')`. Takes about three seconds. */
export async function startKubeApiServer(): Promise<KubeApiServer> {
  const etcd = await startEtcd();
  try {
    return withEtcd(etcd, await startApiServer(etcd.url));
  } catch (err) {
    await etcd[Symbol.asyncDispose]();
    throw err;
  }
}

async function startEtcd(): Promise<Service> {
  const peers = `http://127.0.0.1:${await freePort()}`;
  return startService({
    name: 'etcd',
    command: tool('etcd'),
    args: (port, directory) => [
      `--data-dir=${join(directory, 'data')}`,
      `--listen-client-urls=http://127.0.0.1:${port}`,
      `--advertise-client-urls=http://127.0.0.1:${port}`,
      `--listen-peer-urls=${peers}`,
      `--initial-advertise-peer-urls=${peers}`,
      `--initial-cluster=default=${peers}`,
      '--unsafe-no-fsync',
      '--log-level=error',
    ],
    isReady: async (url) => (await fetch(`${url}/health`)).ok,
  });
}

function startApiServer(etcdUrl: string): Promise<Service> {
  let certificate = '';
  return startService({
    name: 'kube-apiserver',
    command: tool('kube-apiserver'),
    protocol: 'https',
    args: (port, directory) => {
      certificate = certificateIn(directory);
      const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
      const key = join(directory, 'service-accounts.pem');
      writeFileSync(key, privateKey.export({ type: 'sec1', format: 'pem' }));
      const tokens = join(directory, 'tokens.csv');
      writeFileSync(tokens, `${ADMIN_TOKEN},admin,admin,system:masters\n`);
      return [
        `--etcd-servers=${etcdUrl}`,
        '--bind-address=127.0.0.1',
        '--advertise-address=127.0.0.1',
        `--secure-port=${port}`,
        '--endpoint-reconciler-type=none',
        // Where it leaves the certificate that it makes for itself.
        `--cert-dir=${directory}`,
        `--token-auth-file=${tokens}`,
        '--authorization-mode=RBAC',
        '--service-account-issuer=https://kubernetes.default.svc',
        `--service-account-key-file=${key}`,
        `--service-account-signing-key-file=${key}`,
        '--service-cluster-ip-range=10.96.0.0/24',
        '--profiling=false',
      ];
    },
    isReady: async (url) => (await ask(url, readFileSync(certificate, 'utf8'), 'GET', '/readyz')).status === 200,
  });
}

/** With those that signed it. */
function certificateIn(directory: string): string {
  return join(directory, 'apiserver.crt');
}

function withEtcd(etcd: Service, { url, port, directory, [Symbol.asyncDispose]: dispose }: Service): KubeApiServer {
  const certificateAuthority = readFileSync(certificateIn(directory), 'utf8');
  return {
    url,
    port,
    directory,
    certificateAuthority,
    ask: (method, path, body, token = ADMIN_TOKEN) => ask(url, certificateAuthority, method, path, { body, token }),
    kubeConfig: (token, server = url) => kubeConfig(server, certificateAuthority, token),
    [Symbol.asyncDispose]: async () => {
      await dispose();
      await etcd[Symbol.asyncDispose]();
    },
  };
}

/** JSON is YAML. */
function kubeConfig(server: string, certificateAuthority: string, token: string): string {
  const data = Buffer.from(certificateAuthority).toString('base64');
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'test', cluster: { server, 'certificate-authority-data': data } }],
    users: [{ name: 'test', user: { token } }],
    contexts: [{ name: 'test', context: { cluster: 'test', user: 'test' } }],
    'current-context': 'test',
  });
}

function ask(
  url: string,
  ca: string,
  method: string,
  path: string,
  { body, token }: { readonly body?: unknown; readonly token?: string } = {},
): Promise<KubeAnswer> {
  const text = body === undefined ? '' : JSON.stringify(body);
  const headers = {
    'content-type': 'application/json',
    // Node frames no body of DELETE by itself, so that the rest of the connection would begin with it.
    'content-length': Buffer.byteLength(text),
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
  };
  return new Promise((resolve, reject) => {
    const sent = request(url + path, { method, ca, headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        const answer = Buffer.concat(chunks).toString();
        const isJson = response.headers['content-type']?.startsWith('application/json') ?? false;
        // JSON answers of the API are objects; a response that has been received has a status.
        resolve({ status: response.statusCode!, body: isJson ? (JSON.parse(answer) as KubeAnswer['body']) : {} });
      });
    });
    sent.on('error', reject);
    sent.end(text);
  });
}
