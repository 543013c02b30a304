// What every image must be able to do by itself.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Failed } from './process.mjs';

/** Loads what a client loads late, and makes a call over gRPC to a port where nobody is. */
const GRPC = `
  import { v1 } from '@google-cloud/pubsub';
  import { grpc } from 'google-gax';
  for (const Client of [v1.PublisherClient, v1.SubscriberClient]) {
    const client = new Client({ servicePath: '127.0.0.1', port: 9, sslCreds: grpc.credentials.createInsecure(), projectId: 'project' });
    await client.initialize();
    const call = Client === v1.PublisherClient ? client.getTopic({ topic: 'projects/project/topics/t' }, { timeout: 500, retry: null }) : undefined;
    const error = await call?.then(() => 'an answer', (err) => err.code);
    if (call && error !== grpc.status.UNAVAILABLE && error !== grpc.status.DEADLINE_EXCEEDED) throw new Error('gRPC gave ' + error);
    await client.close();
  }`;

/** The program says who it is and shows the help of all its commands. */
export async function checkHelp(runner, program, version) {
  const printed = await runner.program(program, ['--version']);
  if (printed.trim() !== `${program} ${version}`) throw new Failed(`${program} --version prints ${printed}`);
  const help = await runner.program(program, ['--help']);
  const commands = [...help.matchAll(/^ {2}facilitator (\S+)/gm)].map(([, command]) => command);
  if (program === 'facilitator' && commands.length === 0) throw new Failed('facilitator --help lists no command');
  await inTurns(commands, (command) => runner.program(program, [command, '--help']));
}

/** Every package that our code may import, at the start or when needed, can be loaded. */
export async function checkPackages(runner, program, tree) {
  const { dependencies } = JSON.parse(readFileSync(join(tree, 'app/package.json'), 'utf8'));
  const names = Object.keys(dependencies);
  const text = names.map((name) => `await import(${JSON.stringify(name)});`).join('\n');
  await runner.text(program, 'packages', text);
  if (names.includes('@google-cloud/pubsub')) await runner.text(program, 'gRPC', GRPC);
}

/** Two at once. */
async function inTurns(items, action) {
  const queue = items.values();
  const turn = async () => {
    for (const item of queue) await action(item);
  };
  await Promise.all([turn(), turn()]);
}
