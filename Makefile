# What is done with this repository, one target each. Every target works from a fresh clone with
# stable Rust, make, a C compiler and the package registries; what else a step could use is
# installed below the target directory, or the step says what is missing.

CARGO ?= cargo
TARGET := $(abspath $(or $(CARGO_TARGET_DIR),target))
TOOLS := $(TARGET)/tools
STEP := @TARGET="$(TARGET)" ./.ci/step

# The server that tests and conformance start: optimised, with the checks left on.
CHECKED := $(TARGET)/checked/reddle

# The program that packages get, for another C library if LIBC names one.
TRIPLE := $(if $(LIBC),$(shell uname -m)-unknown-linux-$(LIBC))
BUILT := $(TARGET)/$(addsuffix /,$(TRIPLE))release/reddle

# Extra arguments for the program behind a target: make run ARGS='--threads 2'.
ARGS ?=
FUZZ_SECONDS ?= 60
CARGO_DENY_VERSION := 0.20.2
CARGO_FUZZ_VERSION := 0.13.2

export PATH := $(TOOLS)/bin:$(PATH)

.PHONY: help run test lint docs bench differential conformance fuzz loom checked
.PHONY: cargo-deny cargo-fuzz dist deb

help:
	@echo 'make run          build and start the server on 127.0.0.1:6379, in the foreground'
	@echo 'make test         everything that must pass'
	@echo 'make lint         format, clippy, tidy and licences alone'
	@echo 'make docs         write the generated documents again'
	@echo 'make bench        measure; PEER=path/to/valkey-server compares'
	@echo 'make differential the same random commands to us and to PEER=path/to/valkey-server'
	@echo 'make conformance  the upstream test suite; UNIT=type/string TEST=name ALL=1'
	@echo 'make fuzz         every fuzz target for FUZZ_SECONDS=60 seconds'
	@echo 'make dist         the release build with manual pages and completions; LIBC=musl: static'
	@echo 'make deb          a Debian package of these'

run:
	$(CARGO) build --release -p reddle
	exec $(TARGET)/release/reddle --bind 127.0.0.1 --port 6379 $(ARGS)

# In the order of their cost, so that what is wrong shows early.
test:
	$(STEP) --begin
	$(STEP) 'format' $(CARGO) fmt --all --check
	$(STEP) 'clippy' $(CARGO) clippy --quiet --workspace --all-targets -- -D warnings
	$(STEP) 'documents' $(CARGO) xtask docs --check
	$(STEP) 'server' $(MAKE) --no-print-directory checked
	$(STEP) 'tests' env REDDLE_BIN="$(CHECKED)" $(CARGO) test --workspace --no-fail-fast
	$(STEP) 'gate under loom' $(MAKE) --no-print-directory loom
	$(STEP) 'licences' $(MAKE) --no-print-directory cargo-deny
	@for run in tests/clients/*/run; do \
		test -x "$$run" || continue; \
		TARGET="$(TARGET)" REDDLE_BIN="$(CHECKED)" ./.ci/step "$$run" "$$run" || exit 1; \
	done
	$(STEP) 'conformance' $(MAKE) --no-print-directory conformance ARGS=--ci
	$(STEP) --end

# What packages are made of: the program, which knows its commit, manual pages, completions.
# LIBC=musl makes one that needs nothing of the machine's libraries; it takes musl-gcc and Rust's
# target for musl.
dist: export REDDLE_COMMIT ?= $(shell git rev-parse --short=8 HEAD 2>/dev/null || echo 00000000)
dist:
	$(CARGO) build --release --locked -p reddle $(addprefix --target ,$(TRIPLE))
	$(CARGO) xtask dist $(BUILT) $(TARGET)/dist

deb: dist
	packaging/deb $(BUILT) $(TARGET)/dist $(TARGET)/debian

# Every order of the steps of the gate's protocol, up to a bound.
loom:
	RUSTFLAGS='--cfg loom' CARGO_TARGET_DIR="$(TARGET)/loom" \
		$(CARGO) test --quiet --release -p keyspace --test gate

lint:
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets -- -D warnings
	$(CARGO) xtask tidy
	@$(MAKE) --no-print-directory cargo-deny

docs:
	$(CARGO) xtask docs

bench:
	$(CARGO) build --release -p reddle -p xtask
	$(TARGET)/release/xtask bench --ours $(or $(OURS),$(TARGET)/release/reddle) \
		$(if $(PEER),--peer $(PEER)) $(ARGS)

# Needs a peer, so `make test` leaves it out. COMMANDS are sent in each version of the protocol.
differential: checked
	@test -n "$(PEER)" || { echo 'PEER=path/to/valkey-server is missing'; exit 1; }
	$(CARGO) run --quiet --profile checked -p xtask -- differential --peer "$(PEER)" \
		--ours "$(CHECKED)" $(if $(COMMANDS),--commands $(COMMANDS)) $(if $(SEED),--seed $(SEED)) \
		$(if $(GROUP),--group $(GROUP)) $(ARGS)

conformance: checked
	@REDDLE_BIN="$(CHECKED)" $(CARGO) xtask conformance $(if $(ALL),--all) \
		$(if $(UNIT),--unit $(UNIT)) $(if $(TEST),--test '$(TEST)') $(ARGS)

# Stable Rust takes the sanitizer's flags when it is told to; no nightly is needed.
fuzz: cargo-fuzz
	@for folder in fuzz crates/*/fuzz; do \
		test -f "$$folder/Cargo.toml" || continue; \
		for target in $$(cargo fuzz list --fuzz-dir "$$folder"); do \
			echo "== $$folder $$target, $(FUZZ_SECONDS) s"; \
			RUSTC_BOOTSTRAP=1 cargo fuzz run --fuzz-dir "$$folder" "$$target" -- \
				-max_total_time=$(FUZZ_SECONDS) $(ARGS) || exit 1; \
		done; \
	done

checked:
	$(CARGO) build --quiet --profile checked -p reddle

# `advisories` is left out: its database is a repository of its own that a build machine often
# cannot reach, and a test must not depend on what was published this morning.
cargo-deny:
	@command -v cargo-deny >/dev/null || $(CARGO) install --quiet --locked --root "$(TOOLS)" \
		cargo-deny --version $(CARGO_DENY_VERSION) || true
	@if command -v cargo-deny >/dev/null; then \
		cargo-deny --log-level error check licenses bans sources; \
	else \
		echo 'SKIPPED: cargo-deny cannot be installed, so the licences were not checked'; \
	fi

cargo-fuzz:
	@command -v cargo-fuzz >/dev/null || $(CARGO) install --quiet --locked --root "$(TOOLS)" \
		cargo-fuzz --version $(CARGO_FUZZ_VERSION)
