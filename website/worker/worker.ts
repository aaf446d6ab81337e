/** The worker: answers the page's questions, off its thread; `../client` fetches, parses and sums. */
import { countOptions, DataSet, NothingFoundError, submissionsById } from '../client/index.ts';
import type { Answer, Question, QuestionName, Questions } from './protocol.ts';

/** Of the DOM's types, which know pages only. */
declare const self: {
  postMessage(answer: Answer): void;
  addEventListener(type: 'message', listener: (event: MessageEvent<Question>) => void): void;
};

type Answers = { [Name in QuestionName]: (...parameters: Parameters<Questions[Name]>) => unknown };

let dataSet = new DataSet('/');

const answers: Answers = {
  open: (address) => {
    dataSet = new DataSet(address);
    return null;
  },
  folders: (refresh) => (refresh ? dataSet.refresh() : dataSet.folders()),
  measures: (channelVersion) => dataSet.measures(channelVersion),
  sums: (channelVersion, measure, by, filter) => dataSet.sums(channelVersion, measure, by, filter),
  options: async (channelVersion, measure, by, filter, range) => {
    const [rows, paths] = await Promise.all([
      dataSet.rows(channelVersion, measure, by),
      dataSet.filters(channelVersion),
    ]);
    return countOptions(paths, submissionsById(rows, range), filter);
  },
  measurePath: (channelVersion, measure, by) => dataSet.measurePath(channelVersion, measure, by),
  changes: () => dataSet.changes(),
  status: () => dataSet.status(),
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
