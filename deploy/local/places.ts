import { join } from 'node:path';

/** The two data share processors of the deployment. */
export const SERVERS = ['pha', 'facilitator'] as const;
export type ServerName = (typeof SERVERS)[number];

export const otherServer = (server: ServerName): ServerName => (server === 'pha' ? 'facilitator' : 'pha');
export const isFirst = (server: ServerName): boolean => server === 'pha';

/** The buckets of one server, as directories. */
export interface Buckets {
  readonly ingestion: string;
  readonly ownValidation: string;
  /** What the peer wrote for this server. */
  readonly peerValidation: string;
}

/** The queues of one server, as directories. */
export interface Queues {
  readonly intakeTasks: string;
  readonly aggregateTasks: string;
  readonly rejected: string;
}

/** The directories below `root` that stand for all buckets of a deployment. */
export interface Places {
  readonly buckets: Readonly<Record<ServerName, Buckets>>;
  readonly queues: Readonly<Record<ServerName, Queues>>;
  /** Where both servers' sum parts go. */
  readonly portal: string;
}

export function placesIn(root: string, ingestion?: Readonly<Record<ServerName, string>>): Places {
  const bucketsOf = (server: ServerName): Buckets => ({
    ingestion: ingestion?.[server] ?? join(root, server, 'ingestion'),
    ownValidation: join(root, server, 'own-validation'),
    peerValidation: join(root, server, 'peer-validation'),
  });
  const queuesOf = (server: ServerName): Queues => {
    const queue = (name: string): string => join(root, server, 'queues', name);
    return {
      intakeTasks: queue('intake-tasks'),
      aggregateTasks: queue('aggregate-tasks'),
      rejected: queue('rejected'),
    };
  };
  return {
    buckets: { pha: bucketsOf('pha'), facilitator: bucketsOf('facilitator') },
    queues: { pha: queuesOf('pha'), facilitator: queuesOf('facilitator') },
    portal: join(root, 'portal'),
  };
}
