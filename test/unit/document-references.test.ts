/** What code, tests and documents say about documents of this repository is there: files, sections, steps, invariants, threats, links. */
import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { basename, dirname, join, normalize, relative } from 'node:path';
import { describe, it } from 'node:test';

const CODE = globSync('{src,local,test,bench,scripts}/**/*.{ts,mjs}').filter(
  (file) => basename(file) !== basename(import.meta.filename),
);
const DOCUMENTS = globSync(['*.md', 'docs/**/*.md', 'deploy/**/*.md', 'test/**/*.md']);
const OTHERS = globSync(['Dockerfile', '.env.example', '*.yml', 'deploy/**/*.yml', '.ci/*']);

/** Notes that were never part of the repository. */
const FOREIGN =
  /\b(?:PROTOCOL|ARCHITECTURE|THREATS|FAULTS|HOUSE-STYLE|COMPONENTS|TEMPORAL)\.md\b|\b(?:PROTOCOL|ARCHITECTURE|THREATS)(?= [A-Z]?\d)|\b(?:operations|edge-cases)\.md\b|\bedge cases? \d+|\bshared\/(?:design|spec)\b/g;

/** A number of a section, a step or invariant or threat, or a heading in quotes. */
const TARGET = String.raw`(?:\d+(?:\.\d+)*|[A-Z]\d{1,2})(?![\w%])|"[^"\n]+"`;
const REFERENCE = new RegExp(
  String.raw`(?<document>[\w./-]*[\w-]+\.md)\b(?<targets>,? (?:section )?(?:${TARGET})(?:(?:, | to | and |–)(?:${TARGET}))*)?`,
  'g',
);
/** In documents: the files of the repository that they name. */
const PATH = /(?<![\w./-])(?:src|test|docs|local|bench|scripts|deploy)\/[\w./*{},-]*[\w*}/]/g;
const LINK = /\]\((?<file>[^)#\s:]*)(?:#(?<anchor>[^)\s]+))?\)/g;
/** Titles of tests that begin with a threat, fault, invariant or step. */
const TITLE = /\b(?:it|describe|test)\(\s*['"`](?<id>[A-Z]\d{1,2})(?:, [A-Z]\d{1,2})*:? /g;
/** The same of fault tests, which have their number apart. */
const FAULT = /\bid: '(?<id>F\d{1,2})'/g;
const NUMBERED_TITLE = /\b(?:it|describe|test)\(\s*['"`]\d+(?:, \w+)*: /g;

const HOMES: Readonly<Record<string, string>> = {
  T: 'docs/security.md',
  F: 'docs/faults.md',
  O: 'docs/faults.md',
  A: 'docs/formats/published.md',
};
const PROTOCOL = 'docs/protocol.md';

interface Sections {
  /** Numbers of headings and names of steps, invariants, threats and the like. */
  readonly names: ReadonlySet<string>;
  /** Texts of headings, without their numbers. */
  readonly headings: readonly string[];
  readonly anchors: ReadonlySet<string>;
}

/** What a document has for others to point at. */
function sectionsOf(text: string): Sections {
  const names = new Set<string>();
  const headings: string[] = [];
  const anchors = new Set<string>();
  for (const line of withoutExamples(text).split('\n')) {
    const heading = /^#{1,6}\s+(.*)$/.exec(line)?.[1];
    if (heading !== undefined) {
      const [, number, rest = heading] = /^(\d+(?:\.\d+)*)\.?\s+(.*)$/.exec(heading) ?? [];
      if (number !== undefined) names.add(number);
      headings.push(rest.replaceAll('`', ''));
      anchors.add(
        heading
          .toLowerCase()
          .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
          .replaceAll(/\s/g, '-'),
      );
    }
    const name = /^(?:[-*]\s+|\|\s*)?\*\*([A-Z]\d{1,2})\*\*/.exec(line)?.[1];
    if (name !== undefined) names.add(name);
  }
  return { names, headings, anchors };
}

/** Fenced and indented code shows what is elsewhere, and is no part of a document's own structure. */
function withoutExamples(text: string): string {
  return text.replaceAll(/^```[\s\S]*?^```/gm, '').replaceAll(/^(?: {4}|\t).*$/gm, '');
}

function has(sections: Sections, target: string): boolean {
  if (!target.startsWith('"')) return sections.names.has(target);
  const wanted = target.slice(1, -1).toLowerCase();
  return sections.headings.some((heading) => heading.toLowerCase().startsWith(wanted));
}

/** Comments as running text, links as what they lead to: a reference may go over the end of a line. */
function joined(text: string): string {
  const linked = text.replaceAll(/\[[^\]\n]*\]\(([^)#\s:]+\.md)(?:#[^)]*)?\)/g, '$1');
  return linked.replaceAll(/\n[ \t]*(?:\*(?!\/)|\/\/|#)?[ \t]*/g, ' ');
}

const contents = new Map<string, string>();
function read(file: string): string {
  const text = contents.get(file) ?? readFileSync(file, 'utf8');
  contents.set(file, text);
  return text;
}

/** The document that a text in `file` means: beside that file, or named from the root. */
function documentNamed(name: string, file: string): string | undefined {
  return [normalize(join(dirname(file), name)), name].find((path) => existsSync(path));
}

/** One line for each reference of a text that leads nowhere. */
function brokenReferences(file: string, text: string): string[] {
  const broken: string[] = [];
  for (const { groups = {} } of joined(text).matchAll(REFERENCE)) {
    const { document: name = '', targets = '' } = groups;
    const document = documentNamed(name, file);
    if (document === undefined) {
      broken.push(`${file}: ${name} is not in the repository`);
      continue;
    }
    const sections = sectionsOf(read(document));
    for (const [target] of targets.matchAll(new RegExp(TARGET, 'g')))
      if (!has(sections, target)) broken.push(`${file}: ${document} has no ${target}`);
  }
  return broken;
}

function brokenPaths(file: string, text: string): string[] {
  const named = [...text.matchAll(PATH)].map(([path]) => path);
  return named
    .filter((path) => (/[*{]/.test(path) ? globSync(path).length === 0 : !existsSync(path)))
    .map((path) => `${file}: ${path} is not in the repository`);
}

function brokenLinks(file: string, text: string): string[] {
  const broken: string[] = [];
  for (const { groups = {} } of withoutExamples(text).matchAll(LINK)) {
    const { file: target = '', anchor } = groups;
    const path = target === '' ? file : normalize(join(dirname(file), target));
    if (!existsSync(path)) broken.push(`${file}: the link ${target} leads nowhere`);
    else if (anchor !== undefined && !sectionsOf(read(path)).anchors.has(anchor))
      broken.push(`${file}: ${relative('.', path)} has no heading for #${anchor}`);
  }
  return broken;
}

function brokenTitles(file: string, text: string): string[] {
  const broken = [...text.matchAll(NUMBERED_TITLE)].map(
    ([title]) => `${file}: a title with a number of no list: ${title}`,
  );
  for (const { groups = {} } of [...text.matchAll(TITLE), ...text.matchAll(FAULT)]) {
    const { id = '' } = groups;
    const home = HOMES[id.slice(0, 1)] ?? PROTOCOL;
    if (!sectionsOf(read(home)).names.has(id)) broken.push(`${file}: ${home} has no ${id}`);
  }
  return broken;
}

function foreignNames(file: string, text: string): string[] {
  return [...joined(text).matchAll(FOREIGN)].map(([name]) => `${file}: ${name} is no document of the repository`);
}

function allOf(files: readonly string[], look: (file: string, text: string) => string[]): string[] {
  return files.flatMap((file) => look(file, read(file)));
}

describe('references to documents', () => {
  it('are found at all', () => {
    const references = allOf([...CODE, ...DOCUMENTS], (_file, text) =>
      [...joined(text).matchAll(REFERENCE)].map(String),
    );
    assert.ok(references.length > 150, `only ${references.length} were found`);
  });

  it('lead to documents and sections of the repository', () => {
    assert.deepEqual(allOf([...CODE, ...DOCUMENTS, ...OTHERS], brokenReferences), []);
  });

  it('name no document outside of the repository', () => {
    assert.deepEqual(allOf([...CODE, ...DOCUMENTS, ...OTHERS], foreignNames), []);
  });

  it('in titles of tests are explained in a document', () => {
    assert.deepEqual(allOf(CODE, brokenTitles), []);
  });
});

describe('documents', () => {
  it('name files and folders that exist', () => {
    assert.deepEqual(allOf(DOCUMENTS, brokenPaths), []);
  });

  it('link to files and headings that exist', () => {
    assert.deepEqual(allOf(DOCUMENTS, brokenLinks), []);
  });
});

describe('the search for references', () => {
  const CODE_FILE = 'src/cli.ts';
  const broken: readonly [what: string, text: string, look: (file: string, text: string) => string[], found: RegExp][] =
    [
      ['a section that is not there', '/** As said (docs/protocol.md 99). */', brokenReferences, /has no 99/],
      ['a step that is not there', '/** docs/protocol.md C8, C99 */', brokenReferences, /has no C99/],
      ['an end of a range', '/** docs/protocol.md C1–C77 */', brokenReferences, /has no C77/],
      ['a heading that is not there', `'see docs/operating.md, "No such thing"'`, brokenReferences, /No such thing/],
      ['a reference over two lines', '/**\n * As said (docs/protocol.md\n * 99).\n */', brokenReferences, /has no 99/],
      ['a section behind a link', 'see [the protocol](../docs/protocol.md), section 99', brokenReferences, /has no 99/],
      ['a document that is not there', '// docs/formats/dreams.md 1.2', brokenReferences, /dreams\.md is not/],
      ['a document without its folder', '// results.md 4.3', brokenReferences, /results\.md is not/],
      ['a private note', '// THREATS T1', foreignNames, /THREATS/],
      ['a case of a private list', '// edge case 12', foreignNames, /edge case 12/],
      ['a numbered title', `it('41, 42: once', () => {})`, brokenTitles, /no list/],
      ['a title with an unknown threat', `it('T99: x', () => {})`, brokenTitles, /security\.md has no T99/],
      ['a fault that is not listed', `faultTest(stage, { id: 'F99' })`, brokenTitles, /faults\.md has no F99/],
      ['a path that is not there', 'see `src/no-such-room/file.ts`', brokenPaths, /no-such-room/],
      ['a pattern without files', 'see `src/no-such-room/*.ts`', brokenPaths, /no-such-room/],
      ['a link to nowhere', 'see [there](nowhere.md)', brokenLinks, /nowhere\.md/],
      ['an anchor to nowhere', 'see [there](../README.md#no-such-heading)', brokenLinks, /no-such-heading/],
    ];
  for (const [what, text, look, found] of broken) {
    it(`finds ${what}`, () => {
      const lines = look(CODE_FILE, text);
      assert.equal(lines.length, 1, lines.join('\n'));
      assert.match(lines[0] ?? '', found);
    });
  }

  it('takes what is right', () => {
    const text = '/** docs/protocol.md C1–C3, C6, I4 and docs/security.md T15, docs/formats/results.md 4.3. */';
    assert.deepEqual(brokenReferences(CODE_FILE, text), []);
  });
});
