# The embedded profile: one process, one data directory.
FROM node:20-slim AS build
WORKDIR /ledger
COPY . .
# `npm ci` builds; what only building needs is then left behind.
RUN npm ci --no-audit --no-fund && npm prune --omit=dev --ignore-scripts --no-audit --no-fund

FROM node:20-slim
ENV NODE_ENV=production HOST=0.0.0.0 PORT=3000 SOCAI_DATA=/data
WORKDIR /ledger
COPY --from=build /ledger ./
RUN mkdir /data && chown node:node /data
USER node
VOLUME /data
EXPOSE 3000
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s \
  CMD ["node", "-e", "fetch('http://127.0.0.1:3000/health/live').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "apps/socai/bin/socai.js", "serve"]
