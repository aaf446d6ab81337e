/** The only module that reads the environment of the process. */

/** The process's environment as it stands. */
export function environment(): Readonly<Record<string, string | undefined>> {
  return process.env;
}

/** Overrides the environment of the process, such as with the variables of an embedded stack. */
export function useEnvironment(variables: Readonly<Record<string, string>>): void {
  Object.assign(process.env, variables);
}
