/**
 * Builds the website: website/ → dist/website. Alone: `npm run website:build`; `node scripts/website.mjs dev` serves the
 * sources against the embedded stack, or the data set that is named (docs/website.md 6).
 */
import { createHash } from 'node:crypto';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { run } from './run.mjs';

const SOURCES = 'website';
const SITE = join('dist', 'website');
/** Beside the site, so that it is no part of it. */
const STAMP = join('dist', 'website.sources');
const PACKAGES = ['vite', 'preact', '@preact/signals', 'uplot', '@leeoniya/ufuzzy'];
/** Pages of the former dashboards, whose addresses are in bugs and mails; the page itself reads what they meant. */
const FORMER_PAGES = ['dist.html', 'evo.html'];

/**
 * Builds when the site is missing, or made of other sources or packages.
 * @param runtime a Node.js that Vite runs on
 */
export async function ensureWebsite(root, runtime) {
  // The launcher is tried on projects that have nothing else.
  if (!existsSync(join(root, SOURCES)) || isBuilt(root)) return;
  const code = await run(runtime, [fileURLToPath(import.meta.url)], { cwd: root, stdio: ['ignore', 2, 2] });
  if (code !== 0) throw new Error(`The website cannot be built (exit code ${code}); the message is above.`);
}

function isBuilt(root) {
  const stamp = join(root, STAMP);
  const hasSite = existsSync(join(root, SITE, 'index.html')) && existsSync(stamp);
  return hasSite && readFileSync(stamp, 'utf8') === fingerprint(root);
}

async function build(root, say) {
  const wanted = fingerprint(root);
  const { build: bundle } = await import('vite');
  // Under another name first: another start may be publishing, or building, at the same time.
  const folder = join(root, 'dist', `website.${process.pid}`);
  await bundle({ ...(await options(root)), logLevel: 'warn', build: { ...outputOptions(root), outDir: folder } });
  finish(folder);
  rmSync(join(root, SITE), { recursive: true, force: true });
  renameSync(folder, join(root, SITE));
  writeFileSync(join(root, STAMP), wanted);
  say(`website built: ${SITE}`);
}

async function options(root) {
  return {
    configFile: false,
    root: join(root, SOURCES),
    // It has to work under any prefix.
    base: './',
    publicDir: false,
    cacheDir: join(root, '.local', 'cache', 'vite'),
    oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
    worker: { format: 'es', rolldownOptions: { output: { entryFileNames: '[name].js' } } },
  };
}

function outputOptions(root) {
  return {
    target: 'es2022',
    emptyOutDir: true,
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: {
      input: { app: join(root, SOURCES, 'index.html'), start: join(root, SOURCES, 'worker', 'start.ts') },
      output: { entryFileNames: '[name].js', chunkFileNames: '[name].js', assetFileNames: '[name][extname]' },
    },
  };
}

/**
 * Names stay the same, so that a page which a browser kept never asks for a file that is gone; the hash of a file's
 * content is in the address that it is loaded by, so that no cache answers with another one.
 */
function finish(folder) {
  const hashOf = (name) =>
    createHash('sha256')
      .update(readFileSync(join(folder, name)))
      .digest('hex')
      .slice(0, 10);
  const replace = (name, pairs) => {
    let text = readFileSync(join(folder, name), 'utf8');
    for (const [file, least] of pairs) {
      const parts = text.split(file);
      if (parts.length <= least) throw new Error(`The built ${name} does not name ${file}`);
      text = parts.join(`${file}?v=${hashOf(file)}`);
    }
    writeFileSync(join(folder, name), text);
  };
  replace('start.js', [['worker.js', 1]]);
  replace('app.js', [['start.js', 1]]);
  startBefore(folder);
  const styles = readdirSync(folder).filter((name) => name.endsWith('.css'));
  replace(
    'index.html',
    ['start.js', 'app.js', ...styles].map((name) => [name, 1]),
  );
  for (const page of FORMER_PAGES) copyFileSync(join(folder, 'index.html'), join(folder, page));
}

/** The page's script imports it; as a script of its own it need not wait for that one. */
function startBefore(folder) {
  const page = join(folder, 'index.html');
  const [before, after, ...others] = readFileSync(page, 'utf8').split('<script type="module"');
  if (after === undefined || others.length > 0) throw new Error('The built index.html has other scripts than one');
  const preload = /^\s*<link rel="modulepreload"[^>]*>\n/gm;
  const start = '<script type="module" crossorigin src="./start.js"></script>\n    ';
  writeFileSync(page, `${before}${start}<script type="module"${after.replace(preload, '')}`);
}

function fingerprint(root) {
  const hash = createHash('sha256').update(readFileSync(fileURLToPath(import.meta.url)));
  const files = readdirSync(join(root, SOURCES), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
  for (const file of files) hash.update(`\n${file.slice(root.length)}\n`).update(readFileSync(file));
  const require = createRequire(join(root, 'package.json'));
  for (const name of PACKAGES) hash.update(`\n${name} ${versionOf(require, name)}`);
  return `${hash.digest('hex')}\n`;
}

function versionOf(require, name) {
  const folder = require.resolve.paths(name)?.find((path) => existsSync(join(path, name, 'package.json')));
  return folder === undefined
    ? 'missing'
    : JSON.parse(readFileSync(join(folder, name, 'package.json'), 'utf8')).version;
}

/** The sources as they are, with the data set of the embedded stack or of `TELEMETRY_DATASET`. */
async function serve(root) {
  const { createServer } = await import('vite');
  const stack = join(root, '.local', 'stack', 'stack.env');
  const environment = existsSync(stack) ? Object.fromEntries(linesOf(readFileSync(stack, 'utf8'))) : {};
  const {
    AWS_ENDPOINT_URL_S3: s3,
    TELEMETRY_PUBLISHED_BUCKET: bucket,
    TELEMETRY_PUBLISHED_PREFIX: prefix,
  } = environment;
  const dataset = process.env.TELEMETRY_DATASET ?? (s3 === undefined ? undefined : `${s3}/${bucket}/${prefix}`);
  if (dataset === undefined)
    throw new Error(
      'No embedded stack is up: start it with npm start, or set TELEMETRY_DATASET to the address of a data set.',
    );
  const config = JSON.stringify({
    dataset,
    prefix: '',
    webUi: environment.TELEMETRY_WEB_UI ?? null,
    namespace: 'default',
  });
  const server = await createServer({
    ...(await options(root)),
    base: '/',
    server: { host: '127.0.0.1' },
    plugins: [
      {
        name: 'config',
        configureServer: ({ middlewares }) => {
          middlewares.use('/config.json', (_, answer) =>
            answer.setHeader('content-type', 'application/json').end(config),
          );
        },
        // Vite's own client and styles are inline.
        transformIndexHtml: (html) => html.replace(/<meta\s+http-equiv="Content-Security-Policy"[^>]*>/, ''),
      },
    ],
  });
  await server.listen();
  server.printUrls();
}

function linesOf(text) {
  return text.split('\n').flatMap((line) => {
    const at = line.indexOf('=');
    return at < 0 ? [] : [[line.slice(0, at), line.slice(at + 1)]];
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const root = dirname(dirname(fileURLToPath(import.meta.url)));
  const say = (line) => process.stderr.write(`${line}\n`);
  mkdirSync(join(root, 'dist'), { recursive: true });
  if (process.argv[2] === 'dev') await serve(root);
  else await build(root, say);
}
