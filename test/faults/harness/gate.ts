/** Gates for the proxies: closed until somebody opens them, or until enough have come. */
export interface Gate {
  readonly wait: () => Promise<void>;
  readonly open: () => void;
  /** How many have come to it. */
  readonly arrived: () => number;
}

/** @param enough it opens by itself when so many have come */
export function closedGate(enough = Infinity): Gate {
  const { promise, resolve } = Promise.withResolvers<undefined>();
  let arrived = 0;
  return {
    wait: async () => {
      arrived += 1;
      if (arrived >= enough) resolve(undefined);
      await promise;
    },
    open: () => {
      resolve(undefined);
    },
    arrived: () => arrived,
  };
}
