import { Writable } from 'node:stream';
import type { Command } from '../../../common/runtime/command.ts';
import { variablesOf } from '../../../common/runtime/environment.ts';
import { logOptions } from '../../../common/runtime/log-options.ts';
import type { ExitStatus } from '../../../common/runtime/exit-status.ts';
import { runProgram, type Program } from '../../../common/runtime/program.ts';
import { facilitatorProgram } from '../../../facilitator/program.ts';
import { publishCommand } from '../../../workflow-manager/command.ts';
import { objectNamed, type Container, type KubeObject, type PodSpec } from './objects.ts';

/** What a program made of the command line, the variables and the file of a container. */
export interface Parsed {
  readonly status: ExitStatus;
  /** All that it had to say about them. */
  readonly said: string;
  /** Variables that set none of its options. */
  readonly foreignVariables: readonly string[];
  /** Names in its file that are options of other commands at most. */
  readonly foreignOptions: readonly string[];
}

/** Programs by the last part of their images' names. */
const PROGRAMS: Readonly<Record<string, Program>> = {
  facilitator: facilitatorProgram('0'),
  'workflow-manager': { name: 'workflow-manager', version: '0', envPrefix: 'WORKFLOW_MANAGER', only: publishCommand },
};

/** Parses and checks what the container of a pod gives its program, which then does nothing. */
export async function parseContainer(
  container: Container,
  pod: PodSpec,
  objects: readonly KubeObject[],
): Promise<Parsed> {
  const image = /([^/@]+)@/.exec(container.image)?.[1];
  const program = PROGRAMS[image ?? ''];
  if (!program) throw new Error(`no program for the image ${container.image}`);
  const env = environmentOf(container);
  let bound: Command | undefined;
  const readFile = async (path: string): Promise<string> => mountedFile(path, container, pod, objects);
  let said = '';
  const output = new Writable({
    write(chunk: Buffer, _encoding, done) {
      said += chunk.toString();
      done();
    },
  });
  const status = await runProgram(
    idle(program, (command) => (bound = command)),
    {
      argv: container.args ?? [],
      env,
      stdout: output,
      stderr: output,
      stderrIsTty: false,
      clock: () => new Date(0),
      randomBytes: (count) => new Uint8Array(count),
      readFile,
      signal: new AbortController().signal,
    },
  );
  const options = { ...bound?.options, ...logOptions };
  const variables = Object.entries(options).flatMap(([name, spec]) => variablesOf(program.envPrefix, name, spec));
  const config = container.args?.find((arg) => arg.startsWith('--config='))?.slice('--config='.length);
  const given = config === undefined ? {} : (JSON.parse(await readFile(config)) as object);
  return {
    status,
    said,
    foreignVariables: Object.keys(env).filter((name) => !variables.includes(name)),
    foreignOptions: Object.keys(given).filter((name) => !(name in options)),
  };
}

/** The program with commands that read and check all that they are given, and leave it at that. */
function idle(program: Program, onBound: (command: Command) => void): Program {
  const only = (command: Command): Command => ({
    ...command,
    bind: (input) => {
      onBound(command);
      command.bind(input);
      return { prepare: async () => async () => {} };
    },
  });
  return program.only ? { ...program, only: only(program.only) } : { ...program, commands: program.commands.map(only) };
}

/** As the kubelet would set them. */
function environmentOf({ env = [], resources }: Container): Record<string, string> {
  return Object.fromEntries(
    env.map(({ name, value, valueFrom }) => {
      if (value !== undefined) return [name, value];
      if (valueFrom?.resourceFieldRef?.resource === 'limits.cpu') return [name, resources!.limits.cpu];
      if (valueFrom?.fieldRef) return [name, valueFrom.fieldRef.fieldPath];
      if (valueFrom?.secretKeyRef) return [name, `${valueFrom.secretKeyRef.name}/${valueFrom.secretKeyRef.key}`];
      throw new Error(`the variable ${name} comes from nowhere`);
    }),
  );
}

/** The text of a file that a ConfigMap brings into the container. */
function mountedFile(
  path: string,
  { volumeMounts = [] }: Container,
  pod: PodSpec,
  objects: readonly KubeObject[],
): string {
  const mount = volumeMounts.find(({ mountPath }) => path.startsWith(`${mountPath}/`));
  const { configMap } = pod.volumes?.find(({ name }) => name === mount?.name) ?? {};
  if (!mount || !configMap) throw new Error(`no ConfigMap is mounted for ${path}`);
  const key = configMap.items.find((item) => `${mount.mountPath}/${item.path}` === path)?.key;
  const map = objectNamed(objects, 'ConfigMap', configMap.name) as KubeObject & { data: Record<string, string> };
  const text = key === undefined ? undefined : map.data[key];
  if (text === undefined) throw new Error(`the ConfigMap ${configMap.name} has nothing for ${path}`);
  return text;
}
