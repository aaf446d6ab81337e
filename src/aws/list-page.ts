/**
 * Pages of a listing, read off their XML. The SDK makes a tree of all that S3 says of a key, which is most of the time of
 * listing a day; this takes what the application asks for, from pages that are written as S3 writes them. Any other page is left
 * to the SDK as it came.
 */
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import type { ListObjectsV2Command, ListObjectsV2CommandOutput } from '@aws-sdk/client-s3';

export type ListPage = Pick<
  ListObjectsV2CommandOutput,
  'CommonPrefixes' | 'Contents' | 'KeyCount' | 'IsTruncated' | 'NextContinuationToken'
>;

/** What the SDK is given instead of a page that is read here. */
const NO_KEYS = '<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"></ListBucketResult>';

/** Makes a command keep its page here, when it is sent. @returns the page; undefined for one that the SDK has read */
export function readingPage(command: ListObjectsV2Command): () => ListPage | undefined {
  let page: ListPage | undefined;
  command.middlewareStack.add(
    (next) => async (args) => {
      const result = await next(args);
      page = undefined;
      const response = result.response as { statusCode?: number; body?: unknown };
      if (response.statusCode !== 200 || !(response.body instanceof Readable)) return result;
      const body = await text(response.body);
      page = parseListPage(body);
      response.body = Readable.from([Buffer.from(page === undefined ? body : NO_KEYS)]);
      return result;
    },
    // Inside of the SDK's own reading, and of each of its tries.
    { step: 'deserialize', name: 'readListPage', priority: 'low' },
  );
  return () => page;
}

type Leaves = Partial<Record<string, string>>;

const ROOT = /^\s*(?:<\?xml[^>]*\?>\s*)?<ListBucketResult[^>]*>/;
const NUMBER = /^\d+$/;
/** Members of objects and pages whose own members nobody asks for. */
const IGNORED_TREES = new Set(['Owner', 'RestoreStatus']);

/** The rest of an object, behind its first tag. */
const USUAL_OBJECT =
  /<Key>([^<&]*)<\/Key><LastModified>([^<]*)<\/LastModified><ETag>&quot;([^<&]*)&quot;<\/ETag>(?:<Checksum(?:Algorithm|Type)>\w*<\/Checksum(?:Algorithm|Type)>)*<Size>(\d+)<\/Size><StorageClass>\w*<\/StorageClass><\/Contents>/y;

class NotAsExpected extends Error {}

/** Undefined where anything is not as S3 writes it. */
export function parseListPage(xml: string): ListPage | undefined {
  const root = ROOT.exec(xml);
  if (root === null) return undefined;
  try {
    return new PageReader(xml, root[0].length).page();
  } catch (error) {
    if (error instanceof NotAsExpected) return undefined;
    throw error;
  }
}

/** Reads forward through one page; whatever is not expected throws. */
class PageReader {
  readonly #xml: string;
  #at: number;

  constructor(xml: string, at: number) {
    this.#xml = xml;
    this.#at = at;
  }

  page(): ListPage {
    const Contents: NonNullable<ListPage['Contents']> = [];
    const CommonPrefixes: NonNullable<ListPage['CommonPrefixes']> = [];
    const facts: Leaves = this.#members('ListBucketResult', (name) => {
      if (name === 'Contents') Contents.push(this.#usualObject() ?? objectOf(this.#members(name)));
      else if (name === 'CommonPrefixes') CommonPrefixes.push(folderOf(this.#members(name)));
      else return false;
      return true;
    });
    // Keys are then written in another way.
    demand(facts['EncodingType'] === undefined && this.#xml.slice(this.#at).trim() === '');
    const { IsTruncated, KeyCount, NextContinuationToken: token } = facts;
    demand(IsTruncated === undefined || IsTruncated === 'true' || IsTruncated === 'false');
    return {
      Contents,
      CommonPrefixes,
      ...(IsTruncated !== undefined && { IsTruncated: IsTruncated === 'true' }),
      ...(KeyCount !== undefined && { KeyCount: numberOf(KeyCount) }),
      ...(token !== undefined && { NextContinuationToken: token }),
    };
  }

  /** An object as S3 itself writes it, in one step, since there are a thousand on a page. */
  #usualObject() {
    USUAL_OBJECT.lastIndex = this.#at;
    const match = USUAL_OBJECT.exec(this.#xml);
    if (match === null) return undefined;
    this.#at = USUAL_OBJECT.lastIndex;
    const [, Key = '', LastModified = '', ETag = '', Size] = match;
    return { Key, Size: Number(Size), ETag: `"${ETag}"`, LastModified: timeOf(LastModified) };
  }

  /**
   * The members of an element that has begun, up to its end.
   * @param read takes a member that has members itself, and returns whether it did
   */
  #members(element: string, read: (name: string) => boolean = () => false): Leaves {
    const leaves: Leaves = {};
    for (;;) {
      const name = this.#tag();
      if (name === `/${element}`) return leaves;
      demand(!name.startsWith('/'));
      if (name.endsWith('/') || read(name)) continue;
      if (IGNORED_TREES.has(name)) this.#members(name);
      else leaves[name] = this.#textOf(name);
    }
  }

  /** Name in the next tag, with nothing but blanks before it. */
  #tag(): string {
    while (isBlank(this.#xml.charCodeAt(this.#at))) this.#at += 1;
    demand(this.#xml[this.#at] === '<');
    const end = this.#xml.indexOf('>', this.#at);
    const name = this.#xml.slice(this.#at + 1, end);
    demand(end > 0 && !/[\s!?"]/.test(name));
    this.#at = end + 1;
    return name;
  }

  #textOf(name: string): string {
    const end = this.#xml.indexOf('<', this.#at);
    const value = this.#xml.slice(this.#at, end);
    demand(end >= 0 && this.#xml.startsWith(`</${name}>`, end));
    this.#at = end + name.length + 3;
    return value.includes('&') ? value.replaceAll(/&([^;]*);?/g, unescaped) : value;
  }
}

function objectOf({ Key, Size, ETag, LastModified }: Leaves) {
  return {
    ...(Key !== undefined && { Key }),
    ...(Size !== undefined && { Size: numberOf(Size) }),
    ...(ETag !== undefined && { ETag }),
    ...(LastModified !== undefined && { LastModified: timeOf(LastModified) }),
  };
}

function folderOf({ Prefix }: Leaves) {
  return Prefix === undefined ? {} : { Prefix };
}

function numberOf(value: string): number {
  demand(NUMBER.test(value));
  return Number(value);
}

const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?Z$/;

function timeOf(value: string): Date {
  const time = new Date(value);
  demand(TIME.test(value) && !Number.isNaN(time.getTime()));
  return time;
}

const ENTITIES: Readonly<Record<string, string>> = { quot: '"', amp: '&', apos: "'", lt: '<', gt: '>' };

function unescaped(whole: string, entity: string): string {
  const named = ENTITIES[entity];
  if (named !== undefined && whole.endsWith(';')) return named;
  // Numbers of characters: the SDK knows which are allowed.
  throw new NotAsExpected();
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09;
}

function demand(isAsExpected: boolean): void {
  if (!isAsExpected) throw new NotAsExpected();
}
