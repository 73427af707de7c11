# The exporter's image. docker-compose.yml and deploy/kubernetes show what it must be given to see
# the host; model_server/Dockerfile makes the other image.
#   docker build -t resource_exporter .
FROM debian:bookworm-slim AS runtime
RUN apt-get update \
  && apt-get install -y --no-install-recommends libprometheus-cpp-core1.0 libspdlog1.10 \
  && rm -rf /var/lib/apt/lists/*
USER 65534:65534
EXPOSE 8888
ENTRYPOINT ["/usr/bin/resource_exporter"]

FROM debian:bookworm AS build
WORKDIR /source
COPY packages.txt ./
RUN apt-get update \
  && sed -n '/^\[build\]$/,/^$/p' packages.txt | grep -v '^[[#]' \
    | xargs apt-get install -y --no-install-recommends
COPY . ./
RUN cmake --preset release -G Ninja -D MODEL_SERVER=OFF \
  && cmake --build --preset release --target resource_exporter --parallel "$(nproc)" \
  && install -D --strip --target-directory=/stage/usr/bin build/release/resource_exporter

FROM runtime
COPY --from=build /stage/ /
