import { startService, tool, type Service } from './service.ts';

/** Prometheus' Pushgateway, with nothing pushed to it. Guard with `withoutTools('…', 'prometheus-pushgateway')`. */
export function startPushgateway(): Promise<Service> {
  return startService({
    name: 'pushgateway',
    command: tool('prometheus-pushgateway'),
    args: (port) => [`--web.listen-address=127.0.0.1:${port}`],
    isReady: async (url) => (await fetch(`${url}/-/ready`)).ok,
  });
}
