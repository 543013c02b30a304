import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { readText, REPOSITORY, repositoryPaths } from '../support/repository.ts';

/*
 * The rules of deploy/images/README.md for the Dockerfiles. No engine and no linter of Dockerfiles is needed.
 */

interface Instruction {
  readonly name: string;
  readonly text: string;
}

const PROGRAMS = ['facilitator', 'workflow-manager'] as const;
const dockerfile = (program: string): string => readText(`deploy/images/${program}.Dockerfile`);

/** Comments dropped, continued lines joined. */
function instructionsOf(text: string): Instruction[] {
  return text
    .replaceAll(/^\s*#.*\n/gm, '')
    .replaceAll(/\s*\\\n\s*/g, ' ')
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => {
      const [, name = '', rest = ''] = /^(\S+)\s+(.*)$/.exec(line) ?? [];
      return { name, text: rest };
    });
}

/** What stands before the first FROM, then each stage with its FROM. */
function stagesOf(text: string): Instruction[][] {
  const stages: Instruction[][] = [[]];
  for (const instruction of instructionsOf(text)) {
    if (instruction.name === 'FROM') stages.push([]);
    // There is one from the start.
    stages.at(-1)!.push(instruction);
  }
  return stages;
}

const textsOf = (stage: readonly Instruction[] | undefined, name: string): string[] =>
  (stage ?? []).filter((instruction) => instruction.name === name).map(({ text }) => text);

describe.each(PROGRAMS)('the Dockerfile of %s', (program) => {
  const [head, build, final, ...more] = stagesOf(dockerfile(program));

  it('builds in one stage and runs in another', () => {
    expect(more).toEqual([]);
    expect(textsOf(final, 'FROM')).toEqual(['gcr.io/distroless/nodejs24-debian13:nonroot@${RUNTIME_DIGEST}']);
  });

  it('takes both bases by digest, without a default', () => {
    expect(textsOf(head, 'ARG')).toEqual(['BUILD_DIGEST', 'RUNTIME_DIGEST']);
    expect(textsOf(build, 'FROM')).toEqual([
      expect.stringMatching(/^--platform=\$BUILDPLATFORM \S+:\S+@\$\{BUILD_DIGEST\} AS build$/),
    ]);
  });

  it('installs what the lock names, runs no script of a package, and checks what it made', () => {
    expect(textsOf(build, 'RUN')).toEqual([
      'npm ci --ignore-scripts',
      'node facilitator/prio/kernel/build.mjs && npx --no-install tsc --build facilitator workflow-manager',
      'node deploy/images/check.mjs',
      `node deploy/images/file-tree.mjs ${program} /tree`,
    ]);
  });

  it('needs neither shell nor network in the final stage, and adds nothing but the file tree', () => {
    const names = new Set((final ?? []).map(({ name }) => name));
    expect([...names].sort()).toEqual(['ARG', 'COPY', 'ENTRYPOINT', 'FROM', 'LABEL', 'STOPSIGNAL', 'USER']);
    expect(textsOf(final, 'COPY')).toEqual([
      '--from=build /tree/app/ /app/',
      `--from=build /tree/usr/share/doc/${program}/ /usr/share/doc/${program}/`,
    ]);
  });

  it('is nobody of importance, as the pods are', () => {
    expect(textsOf(final, 'USER')).toEqual(['65532:65532']);
    const workloads = repositoryPaths().filter((path) => /^deploy\/kustomize\/base\/.*\.yaml$/.test(path));
    const users = workloads.flatMap((path) =>
      [...readText(path).matchAll(/runAsUser: (\d+)/g)].map(([, user]) => user),
    );
    expect(new Set(users)).toEqual(new Set(['65532']));
  });

  it('takes the arguments of the program as those of the container', () => {
    const main = `dist/${program}/main.js`;
    expect(textsOf(final, 'ENTRYPOINT').map((text): unknown => JSON.parse(text))).toEqual([
      ['/nodejs/bin/node', `/app/${main}`],
    ]);
    expect(existsSync(REPOSITORY + main), main).toBe(true);
    const manifests = repositoryPaths().filter((path) => /^deploy\/kustomize\/.*\.yaml$/.test(path));
    const commands = manifests.flatMap((path) =>
      [...readText(path).matchAll(/^\s*(?:- )?command:\s*(?:\[|-)?\s*['"]?([^'"\s,\]]+)/gm)].map(([, first]) => ({
        path,
        first,
      })),
    );
    expect(commands.filter(({ path }) => path.startsWith('deploy/kustomize/base/'))).toEqual([]);
    expect(commands.filter(({ first }) => first !== '/nodejs/bin/node')).toEqual([]);
  });

  it('ends by the signal that the program handles', () => {
    expect(textsOf(final, 'STOPSIGNAL')).toEqual(['SIGTERM']);
  });

  it.each([
    ['title', program],
    ['licenses', 'Apache-2.0'],
    ['source', '${SOURCE}'],
    ['revision', '${REVISION}'],
    ['version', '${VERSION}'],
    ['created', '${CREATED}'],
    ['base.name', 'gcr.io/distroless/nodejs24-debian13:nonroot'],
    ['base.digest', '${RUNTIME_DIGEST}'],
  ])('has the label org.opencontainers.image.%s', (name, value) => {
    expect(textsOf(final, 'LABEL').join(' ')).toContain(`org.opencontainers.image.${name}="${value}"`);
    const argument = /^\$\{(\w+)\}$/.exec(value)?.[1];
    if (argument !== undefined) expect(textsOf(final, 'ARG')).toContain(argument);
  });
});

it('has one recipe for both programs', () => {
  const recipe = (program: string): string =>
    dockerfile(program)
      .replaceAll('facilitator/prio/kernel', 'KERNEL')
      .replaceAll('facilitator workflow-manager', 'ALL')
      .replaceAll(program, 'PROGRAM')
      .replace(/(description=)"[^"]*"/, '$1');
  expect(recipe('facilitator')).toBe(recipe('workflow-manager'));
});

it('sends nothing to a build but what is listed', () => {
  const lines = readText('.dockerignore')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));
  expect(lines[0]).toBe('*');
  const sent = lines.slice(1);
  expect(sent.every((line) => line.startsWith('!') && existsSync(REPOSITORY + line.slice(1)))).toBe(true);
  expect(sent).not.toContain('!node_modules');
  expect(sent).not.toContain('!dist');
});
