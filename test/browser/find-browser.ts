/** Chromium of this machine. */
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome'];

/** The program; undefined when this machine has none. `TELEMETRY_TEST_BROWSER` names another one. */
export function findBrowser(): string | undefined {
  const { PATH: path = '', TELEMETRY_TEST_BROWSER: named } = process.env;
  const places = path.split(delimiter).flatMap((folder) => NAMES.map((name) => join(folder, name)));
  return [...(named === undefined ? [] : [named]), ...places].find(isProgram);
}

function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
