# syntax=docker/dockerfile:1

FROM rust:1.95-bookworm AS build
WORKDIR /build
COPY . .
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
COPY --from=build /usr/local/bin/asterisk_exporter /usr/local/bin/asterisk_exporter
COPY LICENSE /usr/share/doc/asterisk_exporter/LICENSE
COPY asterisk_exporter.example.yml /etc/asterisk_exporter/config.yml
# nobody:nogroup, by number so that Kubernetes sees it is not root.
USER 65534:65534
EXPOSE 15038
# The base has no curl, but its bash opens sockets.
HEALTHCHECK --interval=30s --timeout=5s --start-period=5s CMD ["bash", "-c", \
    "exec 3<>/dev/tcp/127.0.0.1/15038 && printf 'GET /-/healthy HTTP/1.0\\r\\n\\r\\n' >&3 && grep -q '^healthy' <&3"]
ENTRYPOINT ["/usr/local/bin/asterisk_exporter"]
CMD ["--config.file=/etc/asterisk_exporter/config.yml"]
