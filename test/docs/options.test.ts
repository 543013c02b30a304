import { describe, expect, it } from 'vitest';
import { commandsOf } from '../../common/runtime/commands.ts';
import { configOptions } from '../../common/runtime/config-file.ts';
import { logOptions } from '../../common/runtime/log-options.ts';
import { facilitatorProgram } from '../../facilitator/program.ts';
import { publishCommand } from '../../workflow-manager/command.ts';
import { readText, repositoryPaths } from '../support/repository.ts';

/*
 * Documents name only options, variables and commands that there are.
 */

const facilitator = facilitatorProgram('0');
const common = { ...logOptions, ...configOptions };
const OURS = {
  FACILITATOR: new Set(
    [common, facilitator.globals ?? {}, ...commandsOf(facilitator).map(({ options }) => options)].flatMap(Object.keys),
  ),
  WORKFLOW_MANAGER: new Set([common, publishCommand.options].flatMap(Object.keys)),
} as const;

/** Options of other programs that documents show, by what they belong to. */
const OTHERS: Readonly<Record<string, readonly string[]>> = {
  'our programs, all': ['help', 'version'],
  'npm start': ['directory', 'aggregations', 'batches', 'packets', 'bins', 'processes', 'lease'],
  'npm run bench': ['scenario', 'runs', 'node', 'write', 'bins', 'packets', 'threads'],
  npx: ['package', 'yes'],
  node: ['max-old-space-size'],
  docker: ['build-arg', 'file', 'push', 'platform', 'tag', 'rm', 'read-only', 'cap-drop'],
  cosign: ['certificate-identity', 'certificate-oidc-issuer'],
  kubectl: ['from', 'from-file', 'server-side', 'for', 'timeout', 'previous', 'output'],
  gcloud: ['ack-ids', 'limit', 'format', 'message'],
  aws: ['source-arn', 'destination-arn'],
};
const OF_OTHERS = new Set(Object.values(OTHERS).flat());

const documents = repositoryPaths().filter((path) => path.endsWith('.md') && !path.startsWith('test/'));

/** Option names, without dashes; those that end with a hyphen stand for all that begin so. */
function optionsIn(text: string): string[] {
  return [...text.matchAll(/(?<![\w-])--([a-z][a-z0-9-]*)/g)].map((match) => match[1]!); // the group is not optional
}

const isOption = (name: string): boolean =>
  OF_OTHERS.has(name) ||
  Object.values(OURS).some((ours) =>
    name.endsWith('-') ? [...ours].some((known) => known.startsWith(name)) : ours.has(name),
  );

describe('the documents', () => {
  it('are seen by this test', () => {
    expect(documents).toEqual(expect.arrayContaining(['README.md', 'docs/operations.md']));
  });

  it.each(documents)('%s names options that there are', (path) => {
    expect(optionsIn(readText(path)).filter((name) => !isOption(name))).toEqual([]);
  });

  it.each(documents)('%s names variables of options that there are', (path) => {
    const unknown = [...readText(path).matchAll(/\b(FACILITATOR|WORKFLOW_MANAGER)_([A-Z0-9_]+)\b/g)].filter(
      ([, program, name]) =>
        // Both groups take part in each match; NAME stands for any.
        name !== 'NAME' && !OURS[program as keyof typeof OURS].has(name!.toLowerCase().replaceAll('_', '-')),
    );
    expect(unknown.map(([variable]) => variable)).toEqual([]);
  });

  it.each(documents)('%s names commands that there are', (path) => {
    const names = new Set(commandsOf(facilitator).map(({ name }) => name));
    const called = [
      ...readText(path).matchAll(/(?:dist\/facilitator\/main\.js|`facilitator|^facilitator) ([a-z][a-z-]+)/gm),
    ];
    expect(called.map((match) => match[1]!).filter((name) => !names.has(name))).toEqual([]);
  });
});
