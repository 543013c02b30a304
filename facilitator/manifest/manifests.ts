import { CachedManifest, type CacheSettings } from './cached-manifest.ts';
import {
  parseIngestorManifest,
  parsePortalManifest,
  parseProcessorSpecificManifest,
  type IngestorManifest,
  type PortalManifest,
  type ProcessorSpecificManifest,
} from './kinds.ts';

/*
 * Where the manifests of the parties are. A base is an https URL; a slash at its end makes no difference.
 * docs/manifests.md, "Kinds".
 */

export function globalManifestUrl(base: string): string {
  return `${base.replace(/\/+$/, '')}/global-manifest.json`;
}

/** @param instance name of a deployment: locality and ingestor */
export function specificManifestUrl(base: string, instance: string): string {
  return `${base.replace(/\/+$/, '')}/${encodeURIComponent(instance)}-manifest.json`;
}

/** The ingestion server's: one for all, else one for the instance if that is known. */
export function ingestorManifest(
  base: string,
  instance: string | undefined,
  settings: CacheSettings,
): CachedManifest<IngestorManifest> {
  const specific = instance === undefined ? [] : [specificManifestUrl(base, instance)];
  return new CachedManifest({ urls: [globalManifestUrl(base), ...specific], parse: parseIngestorManifest }, settings);
}

/** Another data share processor's, for the instance. */
export function processorManifest(
  base: string,
  instance: string,
  settings: CacheSettings,
): CachedManifest<ProcessorSpecificManifest> {
  const urls = [specificManifestUrl(base, instance)] as const;
  return new CachedManifest({ urls, parse: parseProcessorSpecificManifest }, settings);
}

export function portalManifest(base: string, settings: CacheSettings): CachedManifest<PortalManifest> {
  return new CachedManifest({ urls: [globalManifestUrl(base)], parse: parsePortalManifest }, settings);
}

/** Where the server of that index publishes its sum parts: 0 for the PHA's, 1 for the facilitator's. */
export function sumPartBucket(manifest: PortalManifest, server: 0 | 1): string {
  return server === 0 ? manifest.phaSumPartBucket : manifest.facilitatorSumPartBucket;
}
