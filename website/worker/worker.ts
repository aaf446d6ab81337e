/** The worker: answers the page's questions, off its thread; `../client` fetches, parses and sums. */
import { countOptions, DataSet, NothingFoundError, submissionsById } from '../client/index.ts';
import type { Answer, Question, QuestionName, Questions } from './protocol.ts';
import { readSiteConfig, type SiteConfig } from './site-config.ts';

/** Of the DOM's types, which know pages only. */
declare const self: {
  postMessage(answer: Answer): void;
  addEventListener(type: 'message', listener: (event: MessageEvent<Question>) => void): void;
};

type Answers = { [Name in QuestionName]: (...parameters: Parameters<Questions[Name]>) => unknown };

let opened = Promise.withResolvers<DataSet>();
let opening: Promise<SiteConfig> | undefined;

async function open(page: string): Promise<SiteConfig> {
  try {
    const config = await readSiteConfig(page);
    const dataSet = new DataSet(config.dataSet);
    // Asked for next, whatever is shown.
    dataSet.folders().catch(() => undefined);
    opened.resolve(dataSet);
    return config;
  } catch (error) {
    opened.promise.catch(() => undefined);
    opened.reject(error);
    // May be opened again.
    opened = Promise.withResolvers();
    opening = undefined;
    throw error;
  }
}

const answers: Answers = {
  open: (page) => (opening ??= open(page)),
  folders: async () => (await opened.promise).folders(),
  measures: async (channelVersion) => (await opened.promise).measures(channelVersion),
  sums: async (channelVersion, measure, by, filter) => (await opened.promise).sums(channelVersion, measure, by, filter),
  options: async (channelVersion, measure, by, filter, range) => {
    const dataSet = await opened.promise;
    const [rows, paths] = await Promise.all([
      dataSet.rows(channelVersion, measure, by),
      dataSet.filters(channelVersion),
    ]);
    return countOptions(paths, submissionsById(rows, range), filter);
  },
  measurePath: async (channelVersion, measure, by) => (await opened.promise).measurePath(channelVersion, measure, by),
  changes: async () => (await opened.promise).changes(),
  status: async () => (await opened.promise).status(),
};

async function answer({ id, name, parameters }: Question): Promise<Answer> {
  try {
    const reply = answers[name] as (...all: readonly unknown[]) => unknown;
    return { id, value: await reply(...parameters) };
  } catch (error) {
    if (error instanceof NothingFoundError) return { id, reason: error.reason, message: error.message };
    return { id, reason: 'fault', message: error instanceof Error ? error.message : String(error) };
  }
}

self.addEventListener('message', ({ data }) => {
  void answer(data).then((reply) => {
    self.postMessage(reply);
  });
});
