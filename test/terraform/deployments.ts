/*
 * Inputs of terraform/modules/data-share-processor/rendering, as the modules of the clouds give them.
 */

const CLOUDS = ['aws', 'google'] as const;
export type Cloud = (typeof CLOUDS)[number];

/** Where we are, and where others are. */
export interface Deployment {
  readonly own: Cloud;
  readonly peer: Cloud;
  readonly portal: Cloud;
}

export const DEPLOYMENTS: readonly Deployment[] = CLOUDS.flatMap((own) =>
  CLOUDS.flatMap((peer) => CLOUDS.map((portal) => ({ own, peer, portal }))),
);

export const INSTANCE = 'us-ct-g-enpa';

const OUR_EMAIL = 'prio-prod@my-project.iam.gserviceaccount.com';
const PORTAL_ROLE = 'arn:aws:iam::111122223333:role/sum-part-writer';
const PROVIDER = 'projects/123456789012/locations/global/workloadIdentityPools/prio-prod-a/providers/aws';

/** Public keys for our manifest. */
export interface PublicKeys {
  /** SPKI in PEM. */
  readonly signing: string;
  /** A certificate signing request in PEM. */
  readonly encryption: string;
}

const BUCKETS = ['ingestion', 'peer-validation', 'own-validation'] as const;

function storagesAt(cloud: Cloud): Readonly<Record<string, string>> {
  const root = cloud === 'aws' ? 's3://eu-west-1/' : 'gs://';
  return Object.fromEntries(BUCKETS.map((bucket) => [bucket, `${root}prio-prod-${INSTANCE}-${bucket}`]));
}

function queueAt(cloud: Cloud, name: string): Readonly<Record<string, string>> {
  if (cloud === 'google') return { topic: name, queue: name, rejected_topic: `${name}-rejected` };
  return {
    topic: `arn:aws:sns:eu-west-1:012345678901:${name}`,
    queue: `https://sqs.eu-west-1.amazonaws.com/012345678901/${name}`,
    rejected_topic: `arn:aws:sns:eu-west-1:012345678901:${name}-rejected`,
  };
}

/** The variables, for a file `terraform.tfvars.json`. */
export function variablesOf({ own, peer, portal }: Deployment, keys: PublicKeys): object {
  const programs = ['publisher', 'intake', 'aggregate'];
  return {
    cloud: own,
    is_first: false,
    queue_options: own === 'aws' ? { aws_region: 'eu-west-1' } : { google_project: 'my-project' },
    server_identity: {
      ...(own === 'aws' ? { aws_account_id: '012345678901' } : { gcp_service_account_id: '104205123456789012345' }),
      gcp_service_account_email: OUR_EMAIL,
    },
    ...(own === 'aws' ? { workload_identity_pool_provider: PROVIDER } : {}),
    peer: { cloud: peer, manifest_base_url: 'https://peer.example/manifests' },
    portal: {
      cloud: portal,
      manifest_base_url: 'https://portal.example/manifests',
      ...(own === 'google' && portal === 'aws' ? { identity: PORTAL_ROLE } : {}),
    },
    instances: {
      [INSTANCE]: {
        locality: 'us-ct',
        ingestor: 'g-enpa',
        namespace: 'us-ct',
        service_accounts: Object.fromEntries(programs.map((program) => [program, `${program}-g-enpa`])),
        service_account_annotations: Object.fromEntries(programs.map((program) => [program, {}])),
        ingestor_manifest_base_url: 'https://g-enpa.example/manifests',
        ...(own === 'aws' ? { ingestion_identity: 'arn:aws:iam::012345678901:role/ingestion-writer' } : {}),
        ...(own === 'aws' && peer === 'google'
          ? { peer_validation_identity: 'arn:aws:iam::012345678901:role/peer-validation-writer' }
          : {}),
        storages: storagesAt(own),
        queues: {
          intake: queueAt(own, `prod-${INSTANCE}-intake`),
          aggregate: queueAt(own, `prod-${INSTANCE}-aggregate`),
        },
        batch_signing_public_keys: { 'signing-1': { public_key: keys.signing, expiration: '2126-01-01T00:00:00Z' } },
        packet_encryption_csrs: { 'encryption-1': keys.encryption },
      },
    },
  };
}
