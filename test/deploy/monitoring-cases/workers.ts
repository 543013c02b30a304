import { worker, type AlertCase } from './alert-case.ts';

const WORKER = { namespace: 'CASE', app_kubernetes_io_instance: 'CASE-i' };

const finished = (task: string, status: string, pod = 'p'): string =>
  worker(`${task}_tasks_finished`, `aggregation_id="a",status="${status}"`, pod);

/** Of tasks by their status, whatever the kind: as many minutes as `length`. */
function rates(task: string, status: string, length: number): AlertCase['cases'] {
  const [ok, bad] = [finished(task, 'success'), finished(task, status)];
  const other = finished(task, status === 'error' ? 'rejected' : 'error');
  return {
    firing: { [ok]: `0+10x${length}`, [bad]: `0+1x${length}` },
    'firing, all of them, without any success': { [bad]: `0+1x${length}` },
    'firing, by workers that did one task each and went': {
      [finished(task, status, 'p1')]: `_x${length - 50} 1x5 stale`,
      [finished(task, status, 'p2')]: `_x${length - 40} 1x5 stale`,
      [finished(task, 'success', 'p3')]: `_x${length - 30} 1x5 stale`,
    },
    'holes in the data that fires': {
      [ok]: `0+10x${length - 20} _ _ ${10 * length}+10x18`,
      [bad]: `0+1x${length - 20} _ _ ${length}+1x18`,
    },
    'holes before, of what failed long ago': {
      [ok]: `1000x30 _x20 1000+10x${length}`,
      [bad]: `500x30 _x20 500x${length}`,
    },
    quiet: { [ok]: `0+1000x${length}`, [bad]: `0+1x${length}` },
    'quiet, as it is another status': { [ok]: `0+10x${length}`, [other]: `0+1x${length}` },
    zero: { [ok]: `0x${length}`, [bad]: `0x${length}` },
  };
}

const ratesOf = (
  says: string,
  length: number,
  percent: readonly string[],
): Pick<AlertCase, 'at' | 'fires' | 'labels'> => {
  const names = [
    'firing',
    'firing, all of them, without any success',
    'firing, by workers that did one task each and went',
    'holes in the data that fires',
  ];
  return {
    at: `${length}m`,
    labels: WORKER,
    fires: Object.fromEntries(names.map((name, i) => [name, says.replace('%', percent[i] ?? '')])),
  };
};

/** Of alerts on what workers count. */
export const WORKERS_CASES: readonly AlertCase[] = [
  {
    alert: 'IntakeFailureRate',
    cases: rates('intake', 'error', 180),
    ...ratesOf('Within an hour % of the intake tasks of CASE-i failed.', 180, ['9.091%', '100%', '66.67%', '9.091%']),
  },
  {
    alert: 'IntakeRejectionRate',
    cases: rates('intake', 'rejected', 180),
    ...ratesOf('Within an hour % of the intake tasks of CASE-i were rejected; their batches will be in no sum.', 180, [
      '9.091%',
      '100%',
      '66.67%',
      '9.091%',
    ]),
  },
  {
    alert: 'AggregateFailureRate',
    cases: rates('aggregate', 'error', 600),
    ...ratesOf('Within 8 hours % of the aggregate tasks of CASE-i failed.', 600, [
      '9.091%',
      '100%',
      '66.67%',
      '9.091%',
    ]),
  },
  {
    alert: 'AggregateRejectionRate',
    cases: rates('aggregate', 'rejected', 600),
    ...ratesOf(
      'Within 8 hours % of the aggregate tasks of CASE-i were rejected; their windows have no sum part.',
      600,
      ['9.091%', '100%', '66.67%', '9.091%'],
    ),
  },
  {
    alert: 'IngestRateLow',
    interval: '5m',
    at: '48h',
    labels: WORKER,
    cases: {
      firing: { [worker('intake_ingestion_packets_processed', 'aggregation_id="a"')]: '0+100x300 30000+10x300' },
      'firing, as nothing comes in and no worker runs': {
        [worker('intake_ingestion_packets_processed', 'aggregation_id="a"')]: '0+100x290 stale',
      },
      quiet: { [worker('intake_ingestion_packets_processed', 'aggregation_id="a"')]: '0+100x300 30000+50x300' },
      'quiet, as nothing came yesterday': {
        [worker('intake_ingestion_packets_processed', 'aggregation_id="a"')]: '_x300 0+100x300',
      },
      'quiet, by other pods': {
        [worker('intake_ingestion_packets_processed', 'aggregation_id="a"', 'p1')]: '0+100x300 stale',
        [worker('intake_ingestion_packets_processed', 'aggregation_id="a"', 'p2')]: '_x290 100+100x300',
      },
      'holes where nothing is missing': {
        [worker('intake_ingestion_packets_processed', 'aggregation_id="a"')]: '0+100x350 _x12 36300+100x300',
      },
      zero: { [worker('intake_ingestion_packets_processed', 'aggregation_id="a"')]: '0x600' },
    },
    fires: {
      firing: 'Within 20 hours until now, CASE-i took in less than a quarter of the 24k packets of a day before.',
      'firing, as nothing comes in and no worker runs':
        'Within 20 hours until now, CASE-i took in less than a quarter of the 24k packets of a day before.',
    },
  },
  {
    alert: 'LeasesLost',
    at: '120m',
    labels: { ...WORKER, task: 'intake' },
    cases: {
      firing: { [worker('leases_lost_total', 'task="intake"')]: '1x80 1+1x60' },
      'firing, by workers that lost one each and went': Object.fromEntries(
        [1, 2, 3, 4].map((n) => [worker('leases_lost_total', 'task="intake"', `p${n}`), `_x${70 + n} 1x20 stale`]),
      ),
      'quiet, as it is rare': { [worker('leases_lost_total', 'task="intake"')]: '1x80 1 2 3 3x60' },
      'holes in what is over': { [worker('leases_lost_total', 'task="intake"')]: '0+1x20 20x30 _x20 20x80' },
      zero: { [worker('leases_lost_total', 'task="intake"')]: '0x150' },
    },
    fires: {
      firing: 'Workers of CASE-i lost 39 leases on intake tasks within an hour.',
      'firing, by workers that lost one each and went':
        'Workers of CASE-i lost 4 leases on intake tasks within an hour.',
    },
  },
  {
    alert: 'KeyExpiring',
    interval: '5m',
    at: '24h',
    labels: { ...WORKER, party: 'peer', key_id: 'k' },
    cases: {
      firing: {
        [worker('key_expiration_timestamp_seconds', 'party="peer",key_id="k"')]: '950400x300',
        [worker('key_uses_total', 'use="verify_peer",key_id="k"')]: '0+1x300',
      },
      'firing, as it has expired': {
        [worker('key_expiration_timestamp_seconds', 'party="peer",key_id="k"')]: '43200x300',
        [worker('key_uses_total', 'use="verify_peer",key_id="k"')]: '0+1x300',
      },
      'holes, as the worker ended an hour ago': {
        [worker('key_expiration_timestamp_seconds', 'party="peer",key_id="k"')]: '950400x276 stale',
        [worker('key_uses_total', 'use="verify_peer",key_id="k"')]: '0+1x276 stale',
      },
      quiet: {
        [worker('key_expiration_timestamp_seconds', 'party="peer",key_id="k"')]: '9504000x300',
        [worker('key_uses_total', 'use="verify_peer",key_id="k"')]: '0+1x300',
      },
      'quiet, as it was replaced': {
        [worker('key_expiration_timestamp_seconds', 'party="peer",key_id="k"')]: '950400x300',
        [worker('key_uses_total', 'use="verify_peer",key_id="k"')]: '7x300',
      },
      'quiet, as it only opens packets': {
        [worker('key_expiration_timestamp_seconds', 'party="peer",key_id="k"')]: '950400x300',
        [worker('key_uses_total', 'use="open_packet",key_id="k"')]: '0+1x300',
      },
      'zero, which is 1970: an expiration is never unset': {
        [worker('key_expiration_timestamp_seconds', 'party="peer",key_id="k"')]: '0x300',
        [worker('key_uses_total', 'use="verify_peer",key_id="k"')]: '0+1x300',
      },
    },
    fires: {
      firing: 'Key k of the peer (CASE-i) expires in 10d 0h 0m 0s; negative if it has.',
      'firing, as it has expired': 'Key k of the peer (CASE-i) expires in -12h 0m 0s; negative if it has.',
      'holes, as the worker ended an hour ago':
        'Key k of the peer (CASE-i) expires in 10d 0h 0m 0s; negative if it has.',
      'zero, which is 1970: an expiration is never unset':
        'Key k of the peer (CASE-i) expires in -1d 0h 0m 0s; negative if it has.',
    },
  },
];
