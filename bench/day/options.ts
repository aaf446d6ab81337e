/** `--name=value` of the command line. */
export function optionOf(name: string, otherwise: string): string {
  const start = `--${name}=`;
  return process.argv.find((argument) => argument.startsWith(start))?.slice(start.length) ?? otherwise;
}

/** @throws RangeError */
export function countOption(name: string, otherwise: number): number {
  const value = Number(optionOf(name, String(otherwise)));
  if (!Number.isInteger(value) || value < 0) throw new RangeError(`--${name} must be a whole number, from 0 on`);
  return value;
}
