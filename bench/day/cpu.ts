/** CPU time of the process that asks. */
export function cpuSecondsOfThis(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}
