/** What manifests there are, apart from what reads them: the command line has to know. */
export const MANIFEST_KINDS = [
  'ingestor-global',
  'ingestor-specific',
  'data-share-processor-global',
  'data-share-processor-specific',
  'portal-global',
] as const;

export type ManifestKind = (typeof MANIFEST_KINDS)[number];
