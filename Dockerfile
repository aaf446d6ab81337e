# The application's image: every command of `telemetry`, run as `docker run IMAGE COMMAND`; `worker` by default.
ARG NODE=node:24.21.0-trixie-slim

FROM ${NODE} AS packages
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# No package's install script runs; the optional packages are Node.js itself, which the image has.
RUN npm ci --ignore-scripts --omit=dev --omit=optional --no-audit --no-fund

FROM ${NODE} AS kernels
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# The compilers are packages for development; that of the website has optional ones for each system.
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY scripts/kernels.mjs scripts/website.mjs scripts/run.mjs ./scripts/
COPY src/kernels ./src/kernels
RUN node scripts/kernels.mjs
COPY tsconfig.json ./
COPY website ./website
RUN node scripts/website.mjs

FROM packages AS workflows
COPY src ./src
RUN node src/cli.ts bundle-workflows --output dist/workflows.js

FROM ${NODE}
# git fetches the website's source.
RUN apt-get update \
  && apt-get install --yes --no-install-recommends ca-certificates git \
  && rm -rf /var/lib/apt/lists/* /usr/local/lib/node_modules/npm /usr/local/bin/npm /usr/local/bin/npx \
  && mkdir -p /work /definitions \
  && chown node:node /work /definitions
WORKDIR /app
COPY --from=packages /app/node_modules ./node_modules
COPY --from=workflows /app/dist ./dist
COPY --from=kernels /app/dist ./dist
COPY package.json filter.json.in ./
COPY src ./src
# Set: runs end on the build that began them, and this build gets new ones once it is made current (docs/operating.md).
ARG BUILD_ID=
ENV NODE_ENV=production \
  NODE_COMPILE_CACHE=/app/dist/compiled \
  BUILD_ID=${BUILD_ID} \
  TELEMETRY_FILTER_TEMPLATE=/app/filter.json.in \
  TELEMETRY_HISTOGRAM_CACHE=/definitions \
  TELEMETRY_WORK_DIRECTORY=/work \
  TELEMETRY_WORKFLOW_BUNDLE=/app/dist/workflows.js
# What Node.js compiles at each start otherwise. The cache is that of one user, who may read it only: it is code.
RUN mkdir dist/compiled \
  && chown node dist/compiled \
  && setpriv --reuid=node --regid=node --clear-groups sh -c ' \
    node src/cli.ts --help > /dev/null \
    && node --input-type=module --eval "for (const file of process.argv.slice(1)) await import(file)" \
      /app/src/worker.ts /app/src/analysis-worker/main.ts /app/src/commands/watch.ts /app/src/threads/jobs.ts' \
  && chown --recursive root:root dist/compiled \
  && chmod --recursive go=rX dist/compiled
USER node
ENTRYPOINT ["node", "/app/src/cli.ts"]
CMD ["worker"]
