/** An import or re-export as it stands in a file. */
export interface Import {
  /** `undefined` if the module's name is computed. */
  readonly specifier: string | undefined;
  /** Between the keyword and `from`; empty for side-effect and dynamic imports. */
  readonly clause: string;
  readonly typeOnly: boolean;
}

const QUOTED = /'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"/.source;
const TEMPLATE = /`(?:\\[\s\S]|[^`\\])*`/.source;
const COMMENT = /\/\/[^\n]*|\/\*[\s\S]*?\*\//.source;
// A slash begins a regular expression where a value may begin, and divides elsewhere.
const REGEX = /(?<=(?:^|[(,=:[!&|?{};>]|\breturn|\bcase)\s*)\/(?![*/])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n[])+\/[a-z]*/
  .source;
const TOKEN = new RegExp(`(${COMMENT})|(${QUOTED})|${TEMPLATE}|${REGEX}`, 'gm');

/** The source with a blank for every comment; strings stay. */
export function withoutComments(source: string): string {
  return source.replace(TOKEN, (token: string, comment: string | undefined) => (comment === undefined ? token : ' '));
}

/** The source without comments and with all quoted strings empty. Templates stay, as there may be code in them. */
export function codeOnly(source: string): string {
  return source.replace(TOKEN, (token: string, comment: string | undefined, quoted: string | undefined) => {
    if (comment !== undefined) return ' ';
    return quoted === undefined ? token : "''";
  });
}

const STATIC = /\b(?:import|export)\s+(type\b)?([\w$\s*{},]*?)\bfrom\s*(['"])([^'"\n]+)\3/g;
const SIDE_EFFECT = /\bimport\s*(['"])([^'"\n]+)\1/g;
const DYNAMIC = /\bimport\s*\(\s*(?:(['"`])([^'"`$\n]+)\1\s*[,)])?/g;

/** `import … from`, `export … from`, `import '…'`, `import('…')`, also as types. */
export function importsOf(source: string): Import[] {
  const text = withoutComments(source);
  return [
    ...[...text.matchAll(STATIC)].map(([, type, clause, , specifier]) => {
      const names = clause?.trim() ?? '';
      return { specifier, clause: names, typeOnly: type !== undefined || namesOnlyTypes(names) };
    }),
    ...[...text.matchAll(SIDE_EFFECT)].map(([, , specifier]) => ({ specifier, clause: '', typeOnly: false })),
    ...[...text.matchAll(DYNAMIC)].map(([, , specifier]) => ({ specifier, clause: '', typeOnly: false })),
  ];
}

/** `{ type A, type B }`, which with `verbatimModuleSyntax` still loads the module, but lends no values. */
function namesOnlyTypes(clause: string): boolean {
  const names = /^\{(.*)\}$/s
    .exec(clause)?.[1]
    ?.split(',')
    .filter((name) => name.trim() !== '');
  return names !== undefined && names.length > 0 && names.every((name) => /^\s*type\s/.test(name));
}
