import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { startFakeGcs } from '../services/fake-gcs.ts';
import { startMoto } from '../services/moto.ts';
import { startPubSubEmulator } from '../services/pubsub-emulator.ts';
import { startVersitygw, VERSITYGW_CREDENTIALS, VERSITYGW_REGION } from '../services/versitygw.ts';

/** Addresses: `http://127.0.0.1:PORT`. */
export type ServiceUrls = Readonly<Record<'gcs' | 'pubsub' | 's3' | 'moto', string>>;

/** Both clouds. */
export interface StandIns extends AsyncDisposable {
  readonly urls: ServiceUrls;
  createGcsBucket(name: string): Promise<void>;
  createS3Bucket(name: string): Promise<void>;
}

const MEMORY_DISK = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();

export async function startStandIns(): Promise<StandIns> {
  const started: AsyncDisposable[] = [];
  const disposeAll = async (): Promise<void> => {
    for (const service of started.splice(0)) await service[Symbol.asyncDispose]();
  };
  const keep = <T extends AsyncDisposable>(service: T): T => {
    started.push(service);
    return service;
  };
  try {
    const gcs = keep(await startFakeGcs(MEMORY_DISK));
    const pubsub = keep(await startPubSubEmulator());
    const s3 = keep(await startVersitygw());
    const moto = keep(await startMoto());
    const client = new S3Client({
      region: VERSITYGW_REGION,
      endpoint: s3.url,
      credentials: VERSITYGW_CREDENTIALS,
      forcePathStyle: true,
    });
    return {
      urls: { gcs: gcs.url, pubsub: pubsub.url, s3: s3.url, moto: moto.url },
      createGcsBucket: (name) => gcs.createBucket(name),
      createS3Bucket: async (Bucket) => void (await client.send(new CreateBucketCommand({ Bucket }))),
      [Symbol.asyncDispose]: async () => {
        client.destroy();
        await disposeAll();
      },
    };
  } catch (err) {
    await disposeAll();
    throw err;
  }
}

/** How a process finds services at these addresses. */
export function serviceEnvironment(urls: ServiceUrls): Record<string, string> {
  return {
    STORAGE_EMULATOR_HOST: urls.gcs,
    PUBSUB_EMULATOR_HOST: urls.pubsub.replace('http://', ''),
    METADATA_SERVER_DETECTION: 'none',
    AWS_ACCESS_KEY_ID: VERSITYGW_CREDENTIALS.accessKeyId,
    AWS_SECRET_ACCESS_KEY: VERSITYGW_CREDENTIALS.secretAccessKey,
    AWS_ENDPOINT_URL_S3: urls.s3,
    AWS_ENDPOINT_URL_SNS: urls.moto,
    AWS_ENDPOINT_URL_SQS: urls.moto,
  };
}
