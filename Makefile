# Everything a developer needs: `make demo` shows it at work, `make test` tests it, `make prove` proves it.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help demo picture test test-units test-simulations prove large bench bench-against bench-tools goal soak test-sanitize lint \
	build man release deb test-deployment test-operations prerequisites fuzz faults simulate torture

# Statically linked Swift; the linker drops what nothing refers to, which the exported symbols of a program would keep.
RELEASE = swift build -c release --static-swift-stdlib -Xlinker --no-export-dynamic -Xlinker --gc-sections \
	-Xlinker --icf=safe --product

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' Makefile

demo: build ## Watch 300 failed deliveries arrive over real HTTP (under a minute after the build)
	@.build/debug/redeliver-demo

# Tests of the network's real time limits, and those that start programs: Foundation's Process reads the list of open files and
# can crash where the many databases of the other tests are open too. And simulations that keep every processor busy.
TIMED := NetworkFaultTests|BoundedWaitTests|ForeignOriginTests|NetworkTroubleTests|AsyncHTTPTransportTests|ListenerConnectionTests|HostileInputTests.FuzzTests|MetricsPageTests
BUSY := DeliverySimulationTests|DeliveryQueueTests.FaultTests|PowerLossTests

picture: build ## Draw the README's picture of the demo anew
	@.build/debug/redeliver-demo | python3 docs/draw_terminal.py "make demo" '^EVENT TYPE' 'sqlite3 -box.*v_timeline' > .build/demo.svg
	@mv .build/demo.svg docs/demo.svg

test: prerequisites ## Build everything and run the tests, a line for each suite (5 minutes beside the build)
	@swift build --build-tests
	@command -v promtool > /dev/null || echo "note: promtool is not installed, so its test of the metrics file is skipped (apt-get install prometheus)"
	@failed=0; $(MAKE) --no-print-directory --keep-going -j2 test-units test-simulations || failed=1; \
		Tests/run end-to-end --filter EndToEndTests || failed=1; exit $$failed

# Beside each other, one for each processor, and in each of them one test after the other: a thousand at once, each with its
# databases and threads, take twice as long.
test-units:
	@Tests/run unit --no-parallel --skip 'EndToEndTests|$(TIMED)|$(BUSY)'

test-simulations:
	@failed=0; Tests/run simulation --no-parallel --filter '$(BUSY)' || failed=1; \
		Tests/run network --filter '$(TIMED)' || failed=1; exit $$failed

# What `make test` runs a sample of.
PROOFS := $(BUSY)|QueueSimulationTests|CircuitFuzzTests|TortureTests|SecretSweepTests

prove: prerequisites ## Run the long proofs: 300 seeds, 200 kills, faults, power losses, fuzz (12 minutes beside the builds)
	@swift build --build-tests
	@$(MAKE) --no-print-directory simulate SEEDS=300
	@$(MAKE) --no-print-directory fuzz INPUTS=1000000
	@REDELIVER_TEST_PROOFS=long Tests/run prove --filter '$(PROOFS)'

large: prerequisites ## Time every reading command of the release build on 1,000,000 deliveries
	@swift build --build-tests
	@$(RELEASE) redeliver
	@REDELIVER_TEST_ROWS=1000000 REDELIVER_TEST_PROGRAMS="$(CURDIR)/.build/release" \
		swift test --skip-build --filter LargeDatabaseTests

goal: prerequisites ## Measure what adaptive delivery promises, over 20 seeds (a quarter of an hour)
	@swift build --build-tests
	@REDELIVER_TEST_GOAL=whole swift test --skip-build --filter GoalTests

bench: release bench-tools ## Measure what a delivery costs (ROWS="10000 1000000" stored ones, ONLY=drain; to .build/bench.json)
	@$(RELEASE) redeliver-bench
	@.build/release/redeliver-bench --python .build/bench-python/bin/python \
		$(foreach rows,$(ROWS),--rows $(rows)) $(foreach name,$(ONLY),--only $(name))

bench-against: prerequisites bench-tools ## Measure this tree and commit BEFORE in turns, as ratios (ONLY="ingest cycles" ROWS=10000)
	@test -n "$(BEFORE)" || { echo "say which commit: make bench-against BEFORE=<commit>"; exit 1; }
	@python3 Tests/Benchmarks/against.py "$(BEFORE)" --build "$(RELEASE)" --python "$(CURDIR)/.build/bench-python/bin/python" \
		$(foreach rows,$(or $(ROWS),10000),--rows $(rows)) $(foreach name,$(ONLY),--only $(name))

# What a drain is measured with and against: nginx for a provider, wrk, and a worker in Python.
bench-tools:
	@for tool in nginx wrk python3; do \
		PATH="$$PATH:/usr/sbin" command -v $$tool > /dev/null \
			|| { echo "make bench needs $$tool: apt-get install nginx-light wrk python3-venv"; exit 1; }; \
	done
	@.build/bench-python/bin/python -c "import aiohttp, uvloop" 2> /dev/null || { python3 -m venv .build/bench-python \
		&& .build/bench-python/bin/pip install --quiet aiohttp uvloop; }

# How long `make soak` lives; ten minutes are the least that says much.
MINUTES ?= 30

soak: prerequisites ## Let the release build live through faults for MINUTES=30 and judge what it uses
	@swift build --build-tests
	@$(RELEASE) redeliver
	@REDELIVER_TEST_SOAK_MINUTES="$(MINUTES)" REDELIVER_TEST_PROGRAMS="$(CURDIR)/.build/release" \
		swift test --skip-build --filter SoakTests

KILLS ?= 2000

torture: prerequisites ## Kill the daemon KILLS times (2000) at named points and random moments, and compare all books
	@swift build --build-tests
	@REDELIVER_TEST_KILLS="$(KILLS)" swift test --skip-build --filter "TortureTests|StoppedDaemonTests|KilledCreationTests|KilledCopyTests"

simulate: prerequisites ## Let everything go wrong in virtual time: SEED=n replays one, SEEDS=10000 runs many (FROM=1 DAYS=3)
	@$(RELEASE) chaos-simulation
	@.build/release/chaos-simulation --days $(or $(DAYS),3) \
		$(if $(SEED),--seed $(SEED),--seeds $(or $(SEEDS),1000) --from $(or $(FROM),1))

faults: prerequisites ## Fail every call for the disk that the store makes, one at a time
	@swift build --build-tests
	@REDELIVER_TEST_FAULTS=whole swift test --skip-build --filter DeliveryQueueTests.FaultTests

fuzz: prerequisites ## Feed every reader of strangers' bytes with INPUTS hostile inputs (10 million; SEED=1)
	@$(RELEASE) redeliver-fuzz
	@.build/release/redeliver-fuzz --inputs $(or $(INPUTS),10000000) --seed $(or $(SEED),1)

# Of the end-to-end tests these: a sanitized program is so slow that the others would mostly test their time limits. The
# simulations run on one thread and for minutes, which would be an hour here; what they run is in the other tests too.
SANITIZED = MainRunTests|CrashTests|ReloadTests|ShutdownTests|InstanceTests|ProviderFaultTests|UpgradeRunTests

test-sanitize: prerequisites ## Run the tests under the thread and the address sanitizer (builds everything twice more)
	@$(MAKE) --no-print-directory sanitize-thread sanitize-address

# Without randomised addresses: newer kernels spread them so far that the thread sanitizer finds no room. A crash must not
# start Swift's backtracer, which hangs in a sanitized process. Leaks are not looked for: the test library has its own.
# One test at a time, or their time limits would measure how slow all of them are together.
sanitize-%: prerequisites
	@swift build --build-tests --sanitize=$* --scratch-path .build/$*
	@for part in '--skip EndToEndTests|$(TIMED)|$(BUSY)' '--filter $(SANITIZED)'; do \
		SWIFT_BACKTRACE=enable=no ASAN_OPTIONS=detect_leaks=0 \
			TSAN_OPTIONS="exitcode=66:suppressions=$(CURDIR)/Tests/thread-sanitizer.supp" \
			setarch "$$(uname -m)" -R swift test --skip-build --no-parallel --sanitize=$* --scratch-path .build/$* $$part || exit 1; \
	done

lint: ## Check the formatting of all Swift code; warnings are errors in every build
	@swift format lint --strict --recursive --parallel Package.swift Sources Tests

build: prerequisites ## Build the programs for development
	@swift build

man: build ## Make the manual page .build/redeliver.1 from the commands' own help
	@swift package generate-manual --configuration debug \
		--date "$$(git log -1 --format=%cs 2> /dev/null || date +%F)" > .build/man.log 2>&1 \
		|| { cat .build/man.log; exit 1; }
	@cp .build/plugins/GenerateManual/outputs/RedeliverCLI/redeliver.1 .build/redeliver.1
	@echo "man -l .build/redeliver.1"

release: prerequisites ## Build the program for production: statically linked Swift, needs libsqlite3 only
	@$(RELEASE) redeliver
	@strip -o .build/redeliver .build/release/redeliver
	@ls -lh .build/redeliver

deb: release man ## Make the Debian package .build/redeliver_VERSION_ARCH.deb (needs dpkg-dev and debhelper)
	@deploy/debian/build

test-deployment: deb build ## Try all of deploy/ with the real thing it is for: package, containers, Prometheus, browser (as root)
	@python3 -m unittest discover -s Tests/Deployment -v

# What needs no root, no browser and no program for production.
test-operations: build ## Run the commands of README, docs and runbook, with a real nginx, node_exporter and Prometheus
	@cd Tests/Deployment && python3 -m unittest -v test_networks test_operations test_prometheus test_readme test_runbook

# SQLite's header is the only thing that is not in the Swift toolchain or fetched by SwiftPM.
prerequisites:
	@command -v swift > /dev/null || { echo "Swift 6.3 is needed: https://www.swift.org/install/linux/"; exit 1; }
	@if [ -e /usr/include/sqlite3.h ] || pkg-config --exists sqlite3 2> /dev/null; then \
		if [ -e /usr/include/zlib.h ] || pkg-config --exists zlib 2> /dev/null; then exit 0; fi; \
	fi; \
	if ! command -v apt-get > /dev/null; then \
		echo "Development files of SQLite or zlib are missing: install libsqlite3-dev and zlib1g-dev (or their like) with your package manager."; exit 1; \
	fi; \
	root=; \
	if [ "$$(id -u)" != 0 ]; then \
		command -v sudo > /dev/null || { echo "libsqlite3-dev or zlib1g-dev is missing and there is no sudo: ask an administrator to run: apt-get install libsqlite3-dev zlib1g-dev"; exit 1; }; \
		root=sudo; \
	fi; \
	echo "installing libsqlite3-dev and zlib1g-dev"; \
	$$root apt-get update -qq; \
	$$root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq libsqlite3-dev zlib1g-dev \
		|| { echo "libsqlite3-dev and zlib1g-dev could not be installed: install them by hand, then run make again."; exit 1; }
