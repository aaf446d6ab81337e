/** Websites of tests: their files by path, in a folder or as commits of a git repository. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

export type Website = Readonly<Record<string, string>>;

/** Makes the folder hold exactly these files, `.git` aside. */
export function writeWebsite(folder: string, website: Website, before: Website = {}): void {
  for (const path of Object.keys(before)) rmSync(join(folder, path), { force: true });
  for (const [path, text] of Object.entries(website)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
}

export class WebsiteRepository {
  readonly folder: string;
  #website: Website = {};

  constructor(folder: string) {
    this.folder = folder;
    mkdirSync(folder, { recursive: true });
    this.git('init', '--quiet', '--initial-branch=master');
  }

  get url(): string {
    return `file://${this.folder}`;
  }

  /** @returns id of the commit */
  commit(website: Website): string {
    writeWebsite(this.folder, website, this.#website);
    this.#website = website;
    this.git('add', '--all');
    this.git('commit', '--quiet', '--allow-empty', '--message=website');
    return this.git('rev-parse', 'HEAD').trim();
  }

  git(...args: string[]): string {
    const who = ['-c', 'user.name=test', '-c', 'user.email=test@localhost', '-c', 'commit.gpgsign=false'];
    return execFileSync('git', ['-C', this.folder, ...who, ...args], { encoding: 'utf8' });
  }
}
