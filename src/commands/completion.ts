/** Shell completion, made from the command tree: subcommands, options and the values that they may have. */
import type { CommandUnknownOpts } from '@commander-js/extra-typings';

export type Shell = 'bash' | 'zsh' | 'fish';

/** What may follow one command line so far: `quarantine` → its subcommands and options. */
interface Level {
  /** Words after the program's name: `quarantine show`; empty for the program itself. */
  readonly path: string;
  readonly words: readonly Word[];
}

interface Word {
  readonly text: string;
  readonly description: string;
}

/** A script that the shell reads. */
export function completionScript(program: CommandUnknownOpts, shell: Shell): string {
  const levels = levelsOf(program, '');
  return shell === 'fish' ? fish(program.name(), levels) : bash(program, levels, shell);
}

function levelsOf(command: CommandUnknownOpts, path: string): Level[] {
  const commands = command.commands.map((each) => ({ text: each.name(), description: each.description() }));
  const choices = command.registeredArguments.flatMap(({ argChoices = [] }) =>
    argChoices.map((text) => ({ text, description: '' })),
  );
  const options = command.options.flatMap(({ long, description }) =>
    long === undefined ? [] : [{ text: long, description }],
  );
  const help = { text: '--help', description: 'display help for command' };
  const here = { path, words: [...commands, ...choices, ...options, help] };
  return [here, ...command.commands.flatMap((each) => levelsOf(each, `${path} ${each.name()}`.trim()))];
}

/** zsh runs bash's completion functions. Files are offered where no word fits: most values are files. */
function bash(program: CommandUnknownOpts, levels: readonly Level[], shell: Shell): string {
  const name = program.name();
  const groups = levels.filter(({ path }) => path !== '').map(({ path }) => quoted(path));
  const cases = levels.map(({ path, words }) => `    ${quoted(path)}) words=${quoted(texts(words).join(' '))} ;;`);
  return `${shell === 'zsh' ? 'autoload -U +X bashcompinit && bashcompinit\n' : ''}_${name}_completion() {
  local at='' word words='' next
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    next="\${at:+$at }$word"
    case "$next" in
    ${groups.join(' | ')}) at="$next" ;;
    esac
  done
  case "$at" in
${cases.join('\n')}
  esac
  COMPREPLY=($(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _${name}_completion ${name}
`;
}

function fish(name: string, levels: readonly Level[]): string {
  const lines = levels.flatMap(({ path, words }) => {
    const below = levels.filter((level) => level.path !== path && level.path.startsWith(`${path} `.trimStart()));
    const deeper = below.map((level) => level.path.slice(path.length).trim().split(' ')[0] ?? '');
    const not = deeper.length === 0 ? '' : `; and not __fish_seen_subcommand_from ${[...new Set(deeper)].join(' ')}`;
    const seen =
      path === ''
        ? 'true'
        : path
            .split(' ')
            .map((word) => `__fish_seen_subcommand_from ${word}`)
            .join('; and ');
    return words.map(({ text, description }) => {
      const what = text.startsWith('--') ? `-l ${text.slice(2)}` : `-f -a ${quoted(text)}`;
      return `complete -c ${name} -n ${quoted(seen + not)} ${what} -d ${quoted(description)}`;
    });
  });
  return `${lines.join('\n')}\n`;
}

function texts(words: readonly Word[]): string[] {
  return words.map(({ text }) => text);
}

/** For any of these shells; descriptions are ours, and none has a line feed. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
