# One image for all: the embedded profile by itself, each part of the distributed one by its command (docker-compose.yml).
FROM node:20.20.2-bookworm-slim AS build
WORKDIR /ledger
COPY . .
# `npm ci` builds; what only building and reading need is then left behind, and programs for another C library than Debian's.
RUN npm ci --no-audit --no-fund && npm prune --omit=dev --ignore-scripts --no-audit --no-fund \
  && rm -rf dist/bench dist/test dist/tools node_modules/@*/*-musl && find dist node_modules -regex '.*\.\(map\|d\.[cm]?ts\|md\)' -type f -delete

FROM node:20.20.2-bookworm-slim
ENV NODE_ENV=production HOST=0.0.0.0 PORT=3000 SOCAI_DATA=/data
WORKDIR /ledger
COPY --from=build /ledger/package.json ./
COPY --from=build /ledger/apps/socai/package.json ./apps/socai/
COPY --from=build /ledger/apps/socai/bin ./apps/socai/bin
COPY --from=build /ledger/node_modules ./node_modules
COPY --from=build /ledger/dist ./dist
RUN mkdir /data && chown node:node /data
USER node
VOLUME /data
EXPOSE 3000
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT}/health/live`).then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "apps/socai/bin/socai.js", "serve"]
