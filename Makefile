# SPDX-License-Identifier: GPL-2.0-only
# Entry point for people. `make help` says what there is.

PREFIX ?= /usr
DESTDIR ?=
TOOLS := $(MAKE) -C tools/checkpoint O=$(CURDIR)/build/tools PREFIX=$(PREFIX)
READER := $(MAKE) -C tools/testing/checkpoint O=$(CURDIR)/build/unit

help:
	@echo 'make deps         install (as root) or name the Debian packages needed'
	@echo 'make build        plain kernel, tools and libraries, in build/'
	@echo 'make build-debug  debug kernel: KASAN, lockdep, kmemleak, ...'
	@echo 'make run          build all that is needed and show a demonstration'
	@echo 'make guest        a shell on the built kernel'
	@echo 'make check        everything below, on both kernels'
	@echo 'make lint         static checks'
	@echo 'make unit         unit tests of the tools and the image reader, in user space'
	@echo 'make fuzz         a minute of fuzzing the image reader'
	@echo 'make bench        benchmarks'
	@echo 'make install      tools, headers, manuals; PREFIX=$(PREFIX) DESTDIR=$(DESTDIR)'
	@echo 'make clean        remove build/'

deps:
	@scripts/deps

build: kernel tools

kernel:
	@scripts/kbuild plain

build-debug:
	@scripts/kbuild debug

# build/install is what the guest sees as if it were installed.
tools:
	@$(TOOLS)
	@$(TOOLS) PREFIX=/usr DESTDIR=$(CURDIR)/build/install install
	@$(MAKE) -s -C samples/checkpoint O=$(CURDIR)/build/samples \
		CFLAGS='-O2 -g -I$(CURDIR)/build/install/usr/include' \
		LDLIBS=$(CURDIR)/build/tools/libcheckpoint.a

run: deps build
	@scripts/demo

guest: build
	@scripts/guest

check: deps
	@scripts/check

lint:
	@scripts/lint

unit: unit-tools unit-reader

unit-tools:
	@$(TOOLS) check

unit-reader:
	@$(READER) check

fuzz:
	@$(READER) fuzz

bench: build
	@$(READER) bench

install:
	$(TOOLS) DESTDIR=$(DESTDIR) install

# The unpacked kernel source and both object trees go, too.
clean:
	rm -rf build

.PHONY: help deps build kernel build-debug tools run guest check lint unit unit-tools \
	unit-reader fuzz bench install clean
