import { vi } from 'vitest';

/** Variables by which the vendors' libraries find credentials, endpoints and settings. */
const VENDORS =
  /^(?:AWS_|GOOGLE_|GCE_|GCLOUD_|CLOUDSDK_|METADATA_SERVER_DETECTION|DETECT_GCP_RETRIES|HTTPS?_PROXY|NO_PROXY)/i;

/** Replaces all that the vendors' libraries read from the environment, until `vi.unstubAllEnvs`. */
export function vendorEnvironment(home: string, variables: Readonly<Record<string, string>> = {}): void {
  for (const name of Object.keys(process.env)) if (VENDORS.test(name)) vi.stubEnv(name, undefined);
  const nowhere = { HOME: home, AWS_EC2_METADATA_DISABLED: 'true', METADATA_SERVER_DETECTION: 'none' };
  // Without a project Google's library would run gcloud.
  const settings = { ...nowhere, GOOGLE_CLOUD_PROJECT: 'test', ...variables };
  for (const [name, value] of Object.entries(settings)) vi.stubEnv(name, value);
}
