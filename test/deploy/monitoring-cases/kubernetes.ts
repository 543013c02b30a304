import type { AlertCase } from './alert-case.ts';

/** Of alerts on pods and disks. */
export const KUBERNETES_CASES: readonly AlertCase[] = [
  {
    alert: 'PodRestarting',
    at: '90m',
    labels: { namespace: 'CASE', pod: 'aggregate-i-1', container: 'facilitator' },
    cases: {
      firing: {
        'kube_pod_container_status_restarts_total{namespace="CASE",pod="aggregate-i-1",container="facilitator"}':
          '0x40 0+1x5 5x60',
      },
      quiet: {
        'kube_pod_container_status_restarts_total{namespace="CASE",pod="aggregate-i-1",container="facilitator"}':
          '0x40 1x100',
      },
      'quiet, as it is not ours': {
        'kube_pod_container_status_restarts_total{namespace="CASE",pod="x",container="y"}': '0x40 0+1x5 5x60',
      },
      'holes in what restarts': {
        'kube_pod_container_status_restarts_total{namespace="CASE",pod="aggregate-i-1",container="facilitator"}':
          '0x40 _ 0+1x5 _ _ 5x60',
      },
      zero: {
        'kube_pod_container_status_restarts_total{namespace="CASE",pod="aggregate-i-1",container="facilitator"}':
          '0x150',
      },
    },
    fires: {
      firing: 'Container facilitator of CASE/aggregate-i-1 was restarted 5 times within an hour.',
      'holes in what restarts': 'Container facilitator of CASE/aggregate-i-1 was restarted 5 times within an hour.',
    },
  },
  {
    alert: 'PodWaiting',
    at: '60m',
    labels: { namespace: 'CASE', pod: 'aggregate-i-1', container: 'facilitator', reason: 'ImagePullBackOff' },
    cases: {
      firing: {
        'kube_pod_container_status_waiting_reason{namespace="CASE",pod="aggregate-i-1",container="facilitator",reason="ImagePullBackOff"}':
          '_x30 1x60',
      },
      'quiet, as it passed': {
        'kube_pod_container_status_waiting_reason{namespace="CASE",pod="aggregate-i-1",container="facilitator",reason="ImagePullBackOff"}':
          '_x30 1x10 stale',
      },
      'holes in what waits': {
        'kube_pod_container_status_waiting_reason{namespace="CASE",pod="aggregate-i-1",container="facilitator",reason="ImagePullBackOff"}':
          '1x50 _ 1x4 _ _ 1x10',
      },
      zero: {
        'kube_pod_container_status_waiting_reason{namespace="CASE",pod="aggregate-i-1",container="facilitator",reason="ImagePullBackOff"}':
          '0x90',
      },
    },
    fires: {
      firing:
        'Container facilitator of CASE/aggregate-i-1 has been waiting for a quarter of an hour (1 = yes), ImagePullBackOff.',
      'holes in what waits':
        'Container facilitator of CASE/aggregate-i-1 has been waiting for a quarter of an hour (1 = yes), ImagePullBackOff.',
    },
  },
  {
    alert: 'PodPending',
    at: '60m',
    labels: { namespace: 'CASE', pod: 'intake-batch-i-1' },
    cases: {
      firing: { 'kube_pod_status_phase{namespace="CASE",pod="intake-batch-i-1",phase="Pending"}': '1x90' },
      'quiet, as it runs': {
        'kube_pod_status_phase{namespace="CASE",pod="intake-batch-i-1",phase="Pending"}': '1x45 0x90',
      },
      'quiet, as it is not ours': { 'kube_pod_status_phase{namespace="CASE",pod="x",phase="Pending"}': '1x90' },
      'holes in what is pending': {
        'kube_pod_status_phase{namespace="CASE",pod="intake-batch-i-1",phase="Pending"}': '1x50 _ 1x4 _ _ 1x10',
      },
      zero: { 'kube_pod_status_phase{namespace="CASE",pod="intake-batch-i-1",phase="Pending"}': '0x90' },
    },
    fires: {
      firing: 'CASE/intake-batch-i-1 has been pending for 20 minutes (1 = yes).',
      'holes in what is pending': 'CASE/intake-batch-i-1 has been pending for 20 minutes (1 = yes).',
    },
  },
  {
    alert: 'PrometheusDiskUtilization',
    at: '60m',
    labels: { namespace: 'CASE', persistentvolumeclaim: 'prometheus-db' },
    cases: {
      firing: {
        'kubelet_volume_stats_used_bytes{namespace="CASE",persistentvolumeclaim="prometheus-db"}': '90x90',
        'kubelet_volume_stats_capacity_bytes{namespace="CASE",persistentvolumeclaim="prometheus-db"}': '100x90',
      },
      quiet: {
        'kubelet_volume_stats_used_bytes{namespace="CASE",persistentvolumeclaim="prometheus-db"}': '70x90',
        'kubelet_volume_stats_capacity_bytes{namespace="CASE",persistentvolumeclaim="prometheus-db"}': '100x90',
      },
      'holes in what is full': {
        'kubelet_volume_stats_used_bytes{namespace="CASE",persistentvolumeclaim="prometheus-db"}': '90x50 _ _ 90x5 _ _',
        'kubelet_volume_stats_capacity_bytes{namespace="CASE",persistentvolumeclaim="prometheus-db"}':
          '100x53 _ _ 100x5',
      },
      'zero, of which a share would be infinite': {
        'kubelet_volume_stats_used_bytes{namespace="CASE",persistentvolumeclaim="prometheus-db"}': '90x90',
        'kubelet_volume_stats_capacity_bytes{namespace="CASE",persistentvolumeclaim="prometheus-db"}': '0x90',
      },
    },
    fires: {
      firing: 'CASE/prometheus-db is 90% full. Without room, no alert can fire.',
      'holes in what is full': 'CASE/prometheus-db is 90% full. Without room, no alert can fire.',
    },
  },
];
