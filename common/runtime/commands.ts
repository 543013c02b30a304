import type { Command } from './command.ts';

/** Several commands, each called by its name; or only one, called by the program's: `workflow-manager [OPTION…]`. */
export type Commands =
  | { readonly commands: readonly Command[]; readonly only?: never }
  | { readonly only: Command; readonly commands?: never };

export function commandsOf({ commands, only }: Commands): readonly Command[] {
  return only ? [only] : commands;
}

/** What was run, in errors and logs; the program itself if it has only one command. */
export function shortNameOf(program: { readonly name: string } & Commands, command: Command | undefined): string {
  return program.only || !command ? program.name : command.name;
}

/** As it is typed: `facilitator inspect`. */
export function fullNameOf(program: { readonly name: string } & Commands, command: Command | undefined): string {
  return program.only || !command ? program.name : `${program.name} ${command.name}`;
}

/** `FILE…`; empty for a command that takes no words. */
export function wordsUsage({ words }: Command): string {
  return words ? `${words.name.toUpperCase()}…` : '';
}
