# What a fresh checkout needs: `make demo` to look, `make test` to check.

# What .ci/prepare finds or fetches comes before the system's own, which may be too old.
export PATH := $(or $(CARGO_HOME),$(HOME)/.cargo)/bin:$(CURDIR)/target/tools/usr/bin:$(PATH)

.PHONY: advisories bench build clean dashboards deb demo deny fuzz lint pictures release soak test test-all test-deploy \
	test-packages test-zabbix toolchain tools

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
	@[ -x target/tools/bin/cargo-deny ] || cargo install cargo-deny --locked --debug --root target/tools
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

# The packages on fresh systems: installed, started, scraped, updated, removed.  Needs root, debootstrap, systemd-nspawn
# and lintian; what is not there is said and left out, or a failure with CI=true.
test-packages: deb
	tests/packages/deb bookworm trixie

# What is committed, as it is passed on: the program, optimised by a profile of what it does most (.ci/optimised), what it
# is made of (SBOM, CycloneDX), and their checksums.
release: toolchain deny
	@[ -x target/tools/bin/cargo-cyclonedx ] || cargo install cargo-cyclonedx --locked --debug --root target/tools
	rm -rf target/dist
	mkdir -p target/dist/source
# Newer than what was built of other sources.
	git archive HEAD | tar -xm -C target/dist/source
	BUILD_REVISION=$$(git rev-parse --short HEAD) SOURCE_DATE_EPOCH=$$(git log -1 --format=%ct) \
		target/dist/source/.ci/optimised target/optimised
	cd target/dist/source && $(CURDIR)/target/tools/bin/cargo-cyclonedx cyclonedx --quiet --format json --describe binaries
	cp target/optimised/release/asterisk_exporter target/dist/
	mv target/dist/source/asterisk_exporter_bin.cdx.json target/dist/asterisk_exporter.cdx.json
	rm -r target/dist/source
	cd target/dist && sha256sum asterisk_exporter asterisk_exporter.cdx.json > SHA256SUMS && cat SHA256SUMS

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
