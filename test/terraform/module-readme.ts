import { format } from 'prettier';
import { readText } from '../support/repository.ts';

/** Something that a module takes or gives. */
interface Entry {
  readonly name: string;
  readonly description: string;
  /** As `terraform fmt` writes it, without what is nested. */
  readonly type: string;
  /** `undefined` if it has to be given. */
  readonly fallback: string | undefined;
}

const BLOCK = /^(?:variable|output) "(\w+)" \{\n([\s\S]*?)^\}$/gm;

/** What the blocks of a formatted file say. */
export function entriesOf(source: string): readonly Entry[] {
  return [...source.matchAll(BLOCK)].map(([, name, body = '']) => ({
    name: name!,
    description: /^ {2}description = "((?:[^"\\]|\\.)*)"$/m.exec(body)?.[1]?.replaceAll('\\"', '"') ?? '',
    type: shortened(/^ {2}type +?= (.*)$/m.exec(body)?.[1] ?? ''),
    fallback: /^ {2}default +?= (.*)$/m.exec(body)?.[1],
  }));
}

/** `map(object({` is a `map(object)`. */
function shortened(type: string): string {
  if (!type.endsWith('({')) return type;
  const open = type.slice(0, -2).split('(');
  return open.join('(') + ')'.repeat(open.length - 1);
}

/** The README of a module: what its author wrote, and its inputs and outputs as they are. */
export async function readmeOf(directory: string): Promise<string> {
  const [written = ''] = readText(`${directory}/README.md`).split(/^## Inputs$/m);
  const inputs = entriesOf(readText(`${directory}/variables.tf`)).map(({ name, type, fallback, description }) =>
    row(`\`${name}\``, `\`${type}\``, fallback === undefined ? 'required' : `\`${fallback}\``, description),
  );
  const outputs = entriesOf(readText(`${directory}/outputs.tf`)).map(({ name, description }) =>
    row(`\`${name}\``, description),
  );
  const tables = [
    ['## Inputs', '', row('Name', 'Type', 'Default', 'Description'), row('---', '---', '---', '---'), ...inputs],
    ['## Outputs', '', row('Name', 'Description'), row('---', '---'), ...outputs],
  ];
  const text = [written.trimEnd(), ...tables.map((lines) => lines.join('\n'))].join('\n\n');
  return format(text, { parser: 'markdown', printWidth: 120 });
}

function row(...cells: readonly string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
}
