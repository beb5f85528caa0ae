# SPDX-License-Identifier: Apache-2.0
# The front door. Meson does the work; every target first installs what this machine lacks.
#
#   make            both profiles: build/bin (development) and build/release/bin
#   make demo       the main job on a real chat, every check printed
#   make test       the whole suite; closes with "N passed, N failed"
#   make check      the quick part of it, about a minute on two idle cores after the first build
#   make check-all  the long one
#   make bench      benchmarks, each with its shape and unit; BENCH_SESSIONS whole sessions
#   make fuzz       coverage-guided fuzzing; FUZZ_SECONDS per target (default 60)
#   make install    the release profile under PREFIX (default /usr/local); TRUST=FOLDER names the
#                   production trust anchors to compile in

PREFIX ?= /usr/local
DESTDIR ?=
FUZZ_SECONDS ?= 60
BENCH_SESSIONS ?= 10000
export TRUST

all: setup-build
	@tools/build development build/dev build/bin
	@tools/build release build/release-tree build/release/bin

demo: setup-build
	@tools/build development build/dev build/bin
	@tools/demo

test: setup-test
	@tests/run test

check: setup-test
	@tests/run check

check-all: setup-check-all
	@tests/run check-all

bench: setup-test
	@tests/run bench $(BENCH_SESSIONS)

fuzz: setup-test
	@tests/run fuzz $(FUZZ_SECONDS)

install: setup-build
	@tools/build release build/release-tree build/release/bin
	@tools/build install build/release-tree "$(DESTDIR)$(PREFIX)"

setup-build:
	@tools/setup/setup build

setup-test:
	@tools/setup/setup build test

setup-check-all:
	@tools/setup/setup build test check-all

format:
	@git ls-files '*.c' '*.h' | xargs clang-format -i

clean:
	rm -rf build

.PHONY: all demo test check check-all bench fuzz install setup-build setup-test setup-check-all format clean
