import { UsageError } from '../common/errors.ts';

/** Something that a command needs and that can be given in more than one way. */
export interface Need {
  /** What to say if it is missing, e.g. `--key or --key-file`. */
  readonly options: string;
  /** One way to give it, as it is typed. */
  readonly example: string;
  readonly isGiven: boolean;
}

/** @throws UsageError that names all that is missing at once */
export function requireAll(needs: readonly Need[]): void {
  const missing = needs.filter(({ isGiven }) => !isGiven);
  if (missing.length === 0) return;
  const options = missing.map(({ options }) => options).join(', ');
  throw new UsageError(`missing ${options}; example: ${missing.map(({ example }) => example).join(' ')}`);
}
