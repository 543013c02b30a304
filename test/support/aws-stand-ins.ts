import { afterAll, beforeAll, describe, vi } from 'vitest';
import { startLocalstack } from '../services/localstack.ts';
import { startMoto } from '../services/moto.ts';
import { withoutTools, type Service } from '../services/service.ts';

/** A stand-in for SNS and SQS. */
export interface AwsStandIn {
  readonly name: string;
  /** What `test/services/install.sh` installs. */
  readonly program: string;
  readonly start: () => Promise<Service>;
}

export const MOTO: AwsStandIn = { name: 'moto', program: 'moto_server', start: startMoto };
export const LOCALSTACK: AwsStandIn = { name: 'LocalStack', program: 'localstack', start: startLocalstack };

/** On a busy machine. */
const START_LIMIT_MS = 60_000;

/** How the vendor's library finds a stand-in; any credentials do. */
export function awsEnvironment(url: string): Readonly<Record<string, string>> {
  return { AWS_ACCESS_KEY_ID: 'id', AWS_SECRET_ACCESS_KEY: 'key', AWS_ENDPOINT_URL: url };
}

/**
 * Registers tests at a stand-in for AWS, if it is there. While they run, the environment tells of it.
 * @param what for the line that says that it is not there
 */
export function describeWithAws(what: string, { name, program, start }: AwsStandIn, body: () => void): void {
  describe.skipIf(withoutTools(`${what} with ${name}`, program))(`with ${name}`, () => {
    let service: Service;
    beforeAll(async () => {
      service = await start();
      for (const [variable, value] of Object.entries(awsEnvironment(service.url))) vi.stubEnv(variable, value);
    }, START_LIMIT_MS);
    afterAll(async () => {
      vi.unstubAllEnvs();
      await service[Symbol.asyncDispose]();
    });
    body();
  });
}
