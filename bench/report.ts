import { binsOf, FIGURE_WORK, intakePartsOf, marginalsOf, peerRatiosOf, subjectsOf } from './figures.ts';
import { PEER, type Results } from './results.ts';
import { spreadOf, type Spread } from './statistics.ts';
import { verdictsOf } from './targets.ts';

/** What was found, as a document in Markdown; docs/benchmarks.md is one. */
export function reportOf(results: Results): string {
  return [
    '# Benchmarks',
    'Written by `npm run bench -- --write`; do not edit. A figure is the median of the rounds, with the least and the ' +
      'most of them in parentheses. Times are those of one machine; what carries over to others is the ratios.',
    ...section('What was measured on', machineLines(results)),
    ...section('Promises', table(['', 'under', 'promised', 'found', ''], verdictRows(results))),
    ...section('A packet', table(PACKET_HEADINGS, packetRows(results)), packetNote(results)),
    ...section('Threads', table(['', 'bins', 'by', 'CPU, µs', 'wall, µs'], scalingRows(results))),
    ...section(
      'Intake and its floor',
      table(['', 'bins', 'under', 'ECDH calls, µs', 'all else, µs', 'all else, × the calls'], partRows(results)),
      floorLines(results),
    ),
    ...section('Memory', table(['', 'under', 'peak RSS'], peakRows(results))),
    ...section(
      'Start-up',
      table(['', 'under', 'first log line', 'until the end', 'CPU', 'peak RSS'], startUpRows(results)),
    ),
    ...section('The publisher', table(['on', '', 'CPU', 'wall', 'peak RSS'], publisherRows(results))),
    ...section('How this is measured', METHOD),
  ].join('\n\n');
}

const PACKET_HEADINGS = [
  '',
  'bins',
  'by',
  'CPU, µs',
  'wall, µs',
  'CPU, × the peer’s',
  'wall, × the peer’s',
  'peak RSS',
];

const METHOD = [
  'Each scenario runs programs as they are installed, as processes over directories in memory. A packet costs the slope ' +
    'between a small and a large batch, so that starting and ending a process does not count. In each round all take ' +
    'their turn on batches of the same contributions, and ratios are taken within a round. The time of the ECDH calls ' +
    'within intake is the processor time of its threads while they make them, with the copy of each point ' +
    '(`/proc/thread-self/schedstat` of Linux). ' +
    'The floor is the call alone, on as many cores at once as intake uses, at the beginning of each round.',
  'The peer (`bench/peer`) is one thread that does what the reference does, with the libraries that the reference uses. ' +
    'Before anything is timed, its verification messages and its sum of a batch must be ours.',
  'Batches repeat contributions, up to 1,000 different ones, under fresh UUIDs; each has an evaluation point of its own. ' +
    'The validations that aggregation reads are what the intake of both servers really wrote of them.',
  '`pipeline` is intake and aggregation of the same packets, one after the other.',
  'To reproduce:',
  '```console\n$ npm ci\n$ npm run bench -- --write\n$ npm run bench -- --scenario intake --bins 20 --runs 5 --node "$(npx --yes --package node@26 which node)"\n```',
  '`npm run bench -- --help` tells all options. The peer needs cargo, the floor of OpenSSL its command line, and the ' +
    'publisher the stand-ins of `test/services/install.sh`; what is missing is skipped with a line that says so.',
].join('\n\n');

/** Nothing at all where there is nothing to tell. */
function section(heading: string, ...texts: readonly string[]): string[] {
  const told = texts.filter((text) => text !== '');
  return told.length === 0 ? [] : [`## ${heading}`, ...told];
}

/** In Markdown; empty without rows. */
export function table(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  if (rows.length === 0) return '';
  const lines = [headings, headings.map(() => '---'), ...rows];
  return lines.map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

/** Three significant digits, and no more than the number has. */
export function shown(value: number): string {
  const digits = Math.max(0, 2 - Math.floor(Math.log10(Math.max(Math.abs(value), 0.001))));
  return value.toLocaleString('en-US', { maximumFractionDigits: digits });
}

/** `1.92 (1.88–2.01)` */
export function shownSpread({ median, least, most }: Spread): string {
  return `${shown(median)} (${shown(least)}–${shown(most)})`;
}

const spreadCell = (values: readonly number[] | undefined): string =>
  values && values.length > 0 ? shownSpread(spreadOf(values)) : '–';

function machineLines({ machine, versions, series }: Results): string {
  const { processor, cores, memoryGiB, system } = machine;
  return [
    `- ${cores} cores of ${processor}, ${memoryGiB} GiB, ${system}`,
    `- this repository ${versions.ours}`,
    ...versions.nodes.map(({ version, openssl }) => `- Node ${version} with OpenSSL ${openssl}`),
    ...(versions.openssl ? [`- OpenSSL ${versions.openssl} for \`openssl speed\``] : []),
    ...(series.length > 0 ? [`- the peer: ${versions.peer ?? 'skipped, as there was no cargo'}`] : []),
  ].join('\n');
}

export function verdictRows(results: Results): string[][] {
  return verdictsOf(results).map(({ what, subject, sense, limit, unit, found, outcome }) => [
    what,
    subject,
    `${sense} ${shown(limit)} ${unit}`,
    shownSpread(found),
    outcome === 'kept' ? outcome : `**${outcome}**`,
  ]);
}

function packetRows(results: Results): string[][] {
  return binsOf(results).flatMap((bins) =>
    FIGURE_WORK.flatMap((work) =>
      subjectsOf(results).flatMap((subject) => {
        const marginals = marginalsOf(results, work, bins, subject);
        if (!marginals) return [];
        const ratios = (['cpuUs', 'wallUs'] as const).map((time) =>
          subject.name === PEER.name ? '1' : spreadCell(peerRatiosOf(results, work, bins, subject, time)),
        );
        const series = results.series.find(
          (found) => found.work === work && found.bins === bins && found.subject.name === subject.name,
        );
        const peaks = series?.rounds.map(({ large }) => large.peakMiB);
        return [
          [
            work,
            shown(bins),
            subject.name,
            spreadCell(marginals.map(({ cpuUs }) => cpuUs)),
            spreadCell(marginals.map(({ wallUs }) => wallUs)),
            ...ratios,
            peaks ? `${shown(Math.max(...peaks))} MiB` : '–',
          ],
        ];
      }),
    ),
  );
}

function packetNote(results: Results): string {
  const { series, server } = results;
  if (series.length === 0) return '';
  const sizes = series.flatMap(({ work, bins, subject, rounds: [round] }) => {
    if (!round) return [];
    const side = subject.name === PEER.name ? 'the peer' : 'ours';
    return [`${work}, ${shown(bins)} bins, ${side}: ${shown(round.small.packets)} and ${shown(round.large.packets)}`];
  });
  return `Packets of the two batches (peak RSS is that of the larger), at the server \`${server}\`: ${[...new Set(sizes)].join('; ')}.`;
}

function partRows(results: Results): string[][] {
  return binsOf(results).flatMap((bins) =>
    subjectsOf(results).flatMap((subject) => {
      const parts = intakePartsOf(results, bins, subject);
      if (!parts) return [];
      return [
        [
          'intake',
          shown(bins),
          subject.name,
          spreadCell(parts.map(({ ecdhUs }) => ecdhUs)),
          spreadCell(parts.map(({ restUs }) => restUs)),
          spreadCell(parts.map(({ ecdhUs, restUs }) => restUs / ecdhUs)),
        ],
      ];
    }),
  );
}

function floorLines({ floors, opensslUs }: Results): string {
  const rows = floors.map(({ bins, subject, us }) => [
    `\`createECDH().computeSecret\`, beside intake of ${shown(bins)} bins`,
    subject.name,
    spreadCell(us),
  ]);
  if (opensslUs !== undefined) rows.push(['`openssl speed ecdhp256`', '–', shown(opensslUs)]);
  return table(['', 'under', 'CPU, µs a call'], rows);
}

function scalingRows({ scaling }: Results): string[][] {
  return scaling.map(({ work, bins, subject, marginals }) => [
    work,
    shown(bins),
    subject.name,
    spreadCell(marginals.map(({ cpuUs }) => cpuUs)),
    spreadCell(marginals.map(({ wallUs }) => wallUs)),
  ]);
}

function peakRows({ peaks }: Results): string[][] {
  return peaks.map(({ what, subject, peakMiB }) => [what, subject.name, `${shown(peakMiB)} MiB`]);
}

function startUpRows({ startUps }: Results): string[][] {
  return startUps.map(({ what, subject, firstLogLineMs, wallMs, cpuMs, peakMiB }) => [
    what,
    subject.name,
    firstLogLineMs.length > 0 ? `${spreadCell(firstLogLineMs)} ms` : '–',
    `${spreadCell(wallMs)} ms`,
    `${spreadCell(cpuMs)} ms`,
    `${shown(Math.max(...peakMiB))} MiB`,
  ]);
}

function publisherRows({ publisher }: Results): string[][] {
  return publisher.map(({ cloud, what, cpuS, wallS, peakMiB }) => [
    cloud,
    what,
    `${cpuS} s`,
    `${wallS} s`,
    `${peakMiB} MiB`,
  ]);
}
