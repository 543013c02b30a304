# The image of workflow-manager; README.md beside this file says how to build it. The context is the repository.

# Both bases by digest, and there is no default: without them there is no build.
ARG BUILD_DIGEST
ARG RUNTIME_DIGEST

# What is built is the same on every platform: no package with machine code goes into the image.
FROM --platform=$BUILDPLATFORM docker.io/library/node:24-trixie-slim@${BUILD_DIGEST} AS build
WORKDIR /source
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts
COPY . .
RUN node facilitator/prio/kernel/build.mjs && npx --no-install tsc --build facilitator workflow-manager
# An image that lacks something, or has too much, is not made.
RUN node deploy/images/check.mjs
RUN node deploy/images/file-tree.mjs workflow-manager /tree

FROM gcr.io/distroless/nodejs24-debian13:nonroot@${RUNTIME_DIGEST}
ARG RUNTIME_DIGEST
ARG SOURCE
ARG REVISION
ARG VERSION
ARG CREATED
LABEL org.opencontainers.image.title="workflow-manager" \
      org.opencontainers.image.description="publishes the tasks of batches that have arrived, of a data share processor for Prio" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.source="${SOURCE}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.created="${CREATED}" \
      org.opencontainers.image.base.name="gcr.io/distroless/nodejs24-debian13:nonroot" \
      org.opencontainers.image.base.digest="${RUNTIME_DIGEST}"
COPY --from=build /tree/app/ /app/
COPY --from=build /tree/usr/share/doc/workflow-manager/ /usr/share/doc/workflow-manager/
# By number, so that Kubernetes can tell that it is not the super-user; nonroot of the base.
USER 65532:65532
STOPSIGNAL SIGTERM
ENTRYPOINT ["/nodejs/bin/node", "/app/dist/workflow-manager/main.js"]
