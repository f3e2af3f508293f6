# SPDX-License-Identifier: MIT
# The front door. The build itself is CMake's (CMakeLists.txt, CMakePresets.json); this names what people do with it.
# BUILD_ROOT=/tmp/mine gives somebody who shares a checkout build trees of their own.

PREFIX ?= /usr/local
JOBS ?= $(shell nproc)
BUILD_ROOT ?= build
FUZZ_SECONDS ?= 60
TESTS ?=
BENCH ?= *
export JOBS BUILD_ROOT

# What runs where: everything under ASan + UBSan, but for what is heavy or needs real time, which runs optimised; what has
# threads runs under TSan as well.
ASAN_TESTS = -heavy/*,-lab/*
RELEASE_TESTS = heavy/*,lab/*
TSAN_TESTS = io/*,api/*,unit/unit_io_*,unit/unit_api_*

.DEFAULT_GOAL := help
.PHONY: help demo build check check-quick bench lint fuzz install clean

help: ## this list
	@echo 'thirl: direct encrypted connections between two machines behind NATs'
	@echo
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | awk -F'\t' '{ printf "  make %-12s %s\n", $$1, $$2 }'

demo: ## two peers behind NATs get a direct connection and move a file, on this machine
	@scripts/install-deps build demo
	@scripts/build release
	@THIRL_BUILD_DIR='$(abspath $(BUILD_ROOT))/release' lab/demo.sh

build: ## what is installed, optimised, in build/release
	@scripts/install-deps build
	@scripts/build release

check: ## all tests, also under ASan + UBSan and TSan
	@scripts/install-deps build test
	@scripts/build asan release tsan:tests_with_threads
	@scripts/run-tests '$(BUILD_ROOT)/asan:$(ASAN_TESTS)' '$(BUILD_ROOT)/release:$(RELEASE_TESTS)' '$(BUILD_ROOT)/tsan:$(TSAN_TESTS)'

check-quick: ## the tests without the heavy ones and those in network namespaces; TESTS='unit/*' for some
	@scripts/install-deps build
	@scripts/build asan
	@scripts/run-tests '$(BUILD_ROOT)/asan:$(if $(TESTS),$(TESTS),$(ASAN_TESTS),-interop/*)'

bench: ## the benchmarks, one after the other; BENCH=name for one
	@scripts/install-deps build test
	@scripts/build release
	@scripts/run-bench $(BUILD_ROOT)/release '$(BENCH)'

lint: ## white space, layers, names, headers alone, warnings of gcc and clang
	@scripts/install-deps build lint
	@scripts/lint

fuzz: ## each fuzz target for FUZZ_SECONDS (60) with libFuzzer
	@scripts/install-deps build fuzz
	@scripts/build fuzz
	@scripts/run-fuzz -s $(FUZZ_SECONDS) $(BUILD_ROOT)/fuzz

install: build ## programs, manual, completion, library, headers below PREFIX (/usr/local), DESTDIR in front
	@cmake -DCMAKE_INSTALL_PREFIX='$(PREFIX)' $(BUILD_ROOT)/release >$(BUILD_ROOT)/install.log
	@DESTDIR='$(DESTDIR)' cmake --install $(BUILD_ROOT)/release

clean: ## removes build/
	@rm -rf '$(BUILD_ROOT)'
