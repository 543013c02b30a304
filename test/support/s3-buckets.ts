import { afterAll, beforeAll } from 'vitest';
import { connectS3, type S3Connection } from '../../common/backends/storage/s3-client.ts';
import { parseS3Location } from '../../common/backends/storage/s3-location.ts';
import { S3Requests } from '../../common/backends/storage/s3-requests.ts';
import { S3Storage } from '../../common/backends/storage/s3-storage.ts';
import type { Storage } from '../../common/ports/storage.ts';
import type { Service } from '../services/service.ts';
import { VERSITYGW_CREDENTIALS, VERSITYGW_REGION } from '../services/versitygw.ts';

export interface S3Buckets {
  /** For what a storage cannot say. */
  readonly connection: () => S3Connection;
  /** A new bucket's name. */
  readonly create: () => Promise<string>;
  readonly open: (bucket: string, prefix?: string) => Storage;
}

/** Has a stand-in for S3 run during the tests of this `describe`. */
export function s3Buckets(start: () => Promise<Service>): S3Buckets {
  let running: { service: Service; connection: S3Connection } | undefined;
  let created = 0;
  const connection = (): S3Connection => {
    if (!running) throw new Error('buckets are for tests, and for what runs before each');
    return running.connection;
  };

  beforeAll(async () => {
    const service = await start();
    const settings = { region: VERSITYGW_REGION, endpoint: service.url, credentials: VERSITYGW_CREDENTIALS };
    running = { service, connection: await connectS3(settings) };
  });
  afterAll(async () => {
    running?.connection.client.destroy();
    await running?.service[Symbol.asyncDispose]();
  });

  return {
    connection,
    async create() {
      const { sdk, client } = connection();
      const bucket = `bucket-${++created}`;
      await client.send(new sdk.CreateBucketCommand({ Bucket: bucket }));
      return bucket;
    },
    open(bucket, prefix = '') {
      const location = parseS3Location(`s3://${VERSITYGW_REGION}/${bucket}/${prefix}`);
      if (!location) throw new Error(`${bucket}/${prefix} is no location`);
      return new S3Storage(location, new S3Requests(async () => connection()));
    },
  };
}
