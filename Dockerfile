# syntax=docker/dockerfile:1

FROM rust:1.95-bookworm AS build
WORKDIR /build
COPY . .
# For --version, since the builder has no repository; `make image` gives them.
ARG BUILD_REVISION
ARG BUILD_DATE
# The caches keep the registry and the compiled dependencies between builds; what is in a cache is not in the
# image, so the binary is copied out.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/build/target \
    cargo build --release --locked --bin asterisk_exporter \
    && cp target/release/asterisk_exporter /usr/local/bin/asterisk_exporter

FROM debian:bookworm-slim
LABEL org.opencontainers.image.title="asterisk_exporter" \
      org.opencontainers.image.description="Exact Prometheus metrics of calls, queues and agents on an Asterisk PBX, from its manager interface" \
      org.opencontainers.image.licenses="Apache-2.0"
ARG VERSION BUILD_REVISION CREATED
LABEL org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$BUILD_REVISION" \
      org.opencontainers.image.created="$CREATED"
COPY --from=build /usr/local/bin/asterisk_exporter /usr/local/bin/asterisk_exporter
# The public CAs, for `tls: true` of a PBX; a CA of your own is mounted, and named by ca_file.
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY LICENSE /usr/share/doc/asterisk_exporter/LICENSE
COPY asterisk_exporter.example.yml /etc/asterisk_exporter/config.yml
COPY asterisk_exporter.schema.json /etc/asterisk_exporter/
# For the socket of the health check.
RUN install -d -o 65534 -g 65534 -m 0700 /run/asterisk_exporter
# Pages of megabytes are given back to the system as soon as they are sent.
ENV MALLOC_MMAP_THRESHOLD_=1048576
# nobody:nogroup, by number so that Kubernetes sees it is not root.
USER 65534:65534
EXPOSE 15038
# Over a Unix socket, so it works whatever the web configuration requires of others.
HEALTHCHECK --interval=30s --timeout=6s --start-period=5s CMD ["/usr/local/bin/asterisk_exporter", "health"]
ENTRYPOINT ["/usr/local/bin/asterisk_exporter"]
CMD ["--config.file=/etc/asterisk_exporter/config.yml"]
