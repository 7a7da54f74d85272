# What a fresh checkout needs: `make demo` to look, `make test` to check.

# What .ci/prepare finds or fetches comes before the system's own, which may be too old.
export PATH := $(or $(CARGO_HOME),$(HOME)/.cargo)/bin:$(CURDIR)/target/tools/usr/bin:$(PATH)

.PHONY: advisories bench build clean dashboards deb demo deny fuzz image lint pictures release rpm soak static test \
	test-all test-deploy test-packages test-zabbix toolchain tools

# A simulated PBX, its metrics and the pages, without any Asterisk.  Flags: make demo ARGS='--seed 7'
demo: toolchain
	cargo run --release -- demo $(ARGS)

build: toolchain
	cargo build --release

test: tools lint
	cargo test --workspace --exclude servers
	cargo test -p servers asterisk::
# These wait for scrapes most of the time; an Asterisk needs its core.
	cargo test -p servers -- --skip asterisk:: --test-threads=4

# Also what is too long for every change.
test-all: test deny soak test-deploy test-packages test-zabbix

# The manifests of deploy/kubernetes, by the schemas of Kubernetes and of the Prometheus operator.
test-deploy:
	tests/deploy/kubernetes

# The template for Zabbix on a real Zabbix 7.0, which is installed into target/zabbix.
test-zabbix: toolchain
	cargo build --bin asterisk_exporter
	@.ci/prepare zabbix
	@if [ -e target/zabbix/installed ]; then tests/zabbix/check; else [ -z "$$CI" ]; fi

# Thousands of random calls beside real Asterisk, days of simulated calls, and millions of changed recordings; for a long
# evening.  FUZZ_SEED and SEQUENCE_SEED choose others.
soak: tools
	ASTERISK_CALLS=10000 cargo test -p servers random_load -- --nocapture
	ASTERISK_TALK=75 cargo test -p servers lost_packets -- --nocapture
	DEMO_HOURS=24 cargo test --test integration demo::whole -- --nocapture
	SEQUENCES=100000 cargo test --lib recorded_events
	FUZZ_INPUTS=400000 cargo test -p fuzzing frames_are
	FUZZ_INPUTS=30000 cargo test -p fuzzing -- --skip frames_are

# Speed and memory beside the limits of this machine, as Markdown (docs/performance.md).  One part: make bench ARGS=tcp
bench: toolchain
	cargo build --release --bin asterisk_exporter
	cargo run --release -p benches -- $(or $(ARGS),all)

# One kind of input (tests/fuzzing), by libFuzzer: make fuzz TARGET=frames SECONDS=60.  Without a sanitizer, which our code
# without `unsafe` does not need, Rust's stable compiler is enough.  Dependencies are those of the exporter.
TARGET ?= frames
SECONDS ?= 60
fuzz: toolchain
	@[ -x target/tools/bin/cargo-fuzz ] || cargo install cargo-fuzz --locked --root target/tools
	cargo run -p fuzzing -- $(TARGET) fuzz/corpus/$(TARGET)
	cp Cargo.lock fuzz/Cargo.lock
	target/tools/bin/cargo-fuzz run --sanitizer none $(TARGET) -- -max_total_time=$(SECONDS) -max_len=65536 -timeout=20

# Licences, sources and unwanted crates among all dependencies (deny.toml).
deny: toolchain
	@$(call cargo_tool,cargo-deny)
	target/tools/bin/cargo-deny check licenses bans sources

# Known faults of dependencies, by the list of rustsec.org, which is fetched.
advisories: deny
	target/tools/bin/cargo-deny check advisories

# A tool of Cargo's in target/tools: $(call cargo_tool,NAME)
cargo_tool = [ -x target/tools/bin/$(1) ] || cargo install $(1) --locked --debug --root target/tools

# Packages, in target/packages (docs/packages.md).  PROGRAM=FILE takes a program that is built.
deb: toolchain
	@$(call cargo_tool,cargo-deb)
	$(if $(PROGRAM),,cargo build --release --locked --bin asterisk_exporter)
	packaging/make deb $(or $(PROGRAM),target/release/asterisk_exporter)

# Of the static program, since Asterisk runs on distributions with an old C library, too.
rpm: toolchain
	@$(call cargo_tool,cargo-generate-rpm)
	program=$(or $(PROGRAM),$$(packaging/static)) && packaging/make rpm "$$program"

# The program without any library.  ARCH=aarch64 is for another architecture.
static: toolchain
	packaging/static $(ARCH)

# The image of the Dockerfile, with what git says about the sources.  BUILDER is docker, podman or buildah.
BUILDER ?= docker
image:
	$(BUILDER) build --tag asterisk_exporter:$(VERSION) --build-arg VERSION=$(VERSION) \
		--build-arg BUILD_REVISION=$$(git rev-parse --short HEAD) --build-arg BUILD_DATE=$$(git log -1 --format=%ct) \
		--build-arg CREATED=$$(git log -1 --format=%cI) .
VERSION = $(shell sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)

# The packages on fresh systems: installed, set up, started, scraped, updated, removed; and the time from the package to the
# first number.  Needs root, debootstrap, systemd-nspawn, lintian, rpm and buildah; what is not there is said and left out,
# or a failure with CI=true.  PROGRAM=FILE takes one that is built: static, and without symbols.
test-packages: deb rpm
	tests/packages/deb bookworm trixie
	tests/packages/first
	tests/packages/static $(PROGRAM)
	tests/packages/rpm
	tests/packages/image

# What is committed, as it is passed on, in target/dist: programs, packages, what they are made of, dashboards, rules, and
# the checksums (packaging/release).  PROGRAM=FILE leaves out the build by a profile, which takes most of the time.
release: toolchain deny
	@$(call cargo_tool,cargo-cyclonedx)
	@$(call cargo_tool,cargo-deb)
	@$(call cargo_tool,cargo-generate-rpm)
	packaging/release $(PROGRAM)

# dashboards/*.json, from dashboards/src.
dashboards: toolchain
	cargo run -p dashboards

# The dashboards as PNG in docs/pictures, drawn from some minutes of the demo in a real Prometheus, with the texts and
# colours of Grafana's own code: Node and npm are needed.
pictures: tools
	cargo run -p dashboards pictures

lint: toolchain
	@if cargo fmt --version >/dev/null 2>&1; then set -x; cargo fmt --check; \
	else echo 'skipped: cargo fmt --check, since rustfmt is not installed'; fi
	@if cargo clippy --version >/dev/null 2>&1; then set -x; cargo clippy --workspace --all-targets -- -D warnings; \
	else echo 'skipped: cargo clippy, since it is not installed'; fi

clean: toolchain
	cargo clean

toolchain:
	@.ci/prepare toolchain

tools: toolchain
	@.ci/prepare tools
