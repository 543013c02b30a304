import type * as Sdk from '@kubernetes/client-node';
import type { BatchV1Api, Cluster, KubeConfig, RequestContext } from '@kubernetes/client-node';
import { ConfigurationInvalid } from '../../common/errors.ts';

export interface ClusterSettings {
  /** A kubeconfig file; its current context counts. Default: the service account of the pod that we run in. */
  readonly kubeConfigPath?: string | undefined;
  /** What stands before the paths at which a pod finds its service account; for tests. */
  readonly inClusterRoot?: string | undefined;
}

/** A cluster as the Kubernetes client library sees it: where its API server is and as whom we ask it. */
export interface KubernetesCluster {
  /** Of the API server: `https://10.0.0.1`. */
  readonly url: string;
  /** The API of Jobs, for a request or several, all under `signal`. */
  batch(signal: AbortSignal): BatchV1Api;
}

const OUTSIDE = 'outside of a cluster give --kube-config-path';
const USER_AGENT = 'data-share-processor workflow-manager';

/**
 * Loads the client library and the configuration that it needs; asks no server, but may run the credential plugin that
 * a kubeconfig names.
 * @throws ConfigurationInvalid
 */
export async function loadCluster(settings: ClusterSettings): Promise<KubernetesCluster> {
  const sdk = await import('@kubernetes/client-node');
  const config = new sdk.KubeConfig();
  const { kubeConfigPath } = settings;
  try {
    if (kubeConfigPath === undefined) config.loadFromCluster(settings.inClusterRoot ?? '');
    else config.loadFromFile(kubeConfigPath);
    const server = serverOf(config, kubeConfigPath);
    // Reads certificates and tokens, which otherwise would fail the first request.
    await config.applyToHTTPSOptions({});
    return connected(sdk, config, server);
  } catch (err) {
    if (err instanceof ConfigurationInvalid) throw err;
    const message =
      kubeConfigPath === undefined
        ? `the pod's service account cannot be used for the Kubernetes API: is none mounted? ${OUTSIDE}`
        : `kubeconfig ${kubeConfigPath} cannot be used: see --kube-config-path`;
    throw new ConfigurationInvalid(message, { cause: withoutContent(err) });
  }
}

/** The address of the API server, checked, as the library takes it from file or environment without a look. */
function serverOf(config: KubeConfig, kubeConfigPath: string | undefined): string {
  // The library declares a cluster's fields as set, but copies them from files as they are.
  const cluster: Partial<Cluster> | null = config.getCurrentCluster();
  const server = String(cluster?.server);
  if (kubeConfigPath === undefined) {
    // What the library makes of variables that are not set.
    if (!/\/\/undefined:|:undefined$/.test(server) && URL.canParse(server)) return server;
    throw new ConfigurationInvalid(
      `this is no pod of a Kubernetes cluster, as KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are not set; ${OUTSIDE}`,
    );
  }
  if (URL.canParse(server)) return server;
  const what = cluster ? 'the API server of its current context is no URL' : 'it has no current context with a cluster';
  throw new ConfigurationInvalid(`kubeconfig ${kubeConfigPath} cannot be used: ${what}; see --kube-config-path`);
}

type Dispatcher = NonNullable<ReturnType<RequestContext['getDispatcher']>>;

/** Else undici closes the connection after each DELETE with a body, and all but the first job cost a TLS handshake. */
function keepingConnections(pool: Dispatcher | undefined): Dispatcher | undefined {
  return pool?.compose((dispatch) => (options, handler) => dispatch({ ...options, reset: false }, handler));
}

function connected(sdk: typeof Sdk, config: KubeConfig, server: string): KubernetesCluster {
  // The library makes a pool of connections for each request; the first one's does for all.
  let dispatcher: Dispatcher | undefined;
  const prepare = (context: RequestContext, signal: AbortSignal): RequestContext => {
    dispatcher ??= keepingConnections(context.getDispatcher());
    if (dispatcher) context.setDispatcher(dispatcher);
    context.setSignal(signal);
    context.setHeaderParam('User-Agent', USER_AGENT);
    return context;
  };
  return {
    url: new URL(server).origin,
    // An API object takes a signal by its configuration only.
    batch: (signal) =>
      new sdk.BatchV1Api(
        sdk.createConfiguration({
          baseServer: new sdk.ServerConfiguration(server, {}),
          authMethods: { default: config },
          promiseMiddleware: [{ pre: async (context) => prepare(context, signal), post: async (response) => response }],
        }),
      ),
  };
}

/** Parsers quote what they could not read, which may be a token. */
function withoutContent(err: unknown): unknown {
  if (!(err instanceof Error)) return undefined;
  if (err instanceof SyntaxError) return new Error('malformed JSON');
  if (err.name !== 'YAMLException') return err;
  const line = 'mark' in err && err.mark instanceof Object && 'line' in err.mark ? Number(err.mark.line) + 1 : NaN;
  return new Error(`malformed YAML${Number.isNaN(line) ? '' : ` in line ${line}`}`);
}
