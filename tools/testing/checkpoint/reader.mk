# SPDX-License-Identifier: GPL-2.0-only
# Unit tests and fuzzing of the image reader (checkpoint/image_*.c), which is
# built here in user space, unmodified, on top of the headers in shim/.
#
# FUZZ_SECONDS=600 fuzzes longer. To look at what the fuzzer has found:
# $(O)/reader/fuzz/fuzz $(O)/reader/artifacts/crash-...

FUZZ_SECONDS ?= 60
FUZZ_CC ?= clang

reader_dir := $(abspath $(O))/reader
reader_flags := -O1 -g -std=gnu11 -Wall -Wextra -Werror -Wmissing-prototypes \
	-Wno-sign-compare -fno-strict-aliasing -fno-omit-frame-pointer \
	-Ishim -idirafter ../../../include/uapi
comma := ,
sanitize := address,undefined -fno-sanitize-recover=all

reader_objs := image_read.o image_pack.o image_check.o slab.o pieces.o pieces_io.o build.o walk.o
reader_objs += build_uring.o
reader_objs += image_check_ns.o image_check_memory.o image_check_events.o
reader_objs += image_check_cow.o image_check_tty.o image_check_regular.o
reader_objs += image_check_socket.o image_check_inet.o
unit_objs := $(reader_objs) later.o unit.o unit_read.o unit_damage.o unit_hostile.o \
	unit_grow.o unit_pack.o unit_check.o
fuzz_objs := $(reader_objs) mutate.o fuzz.o
lie_objs := $(reader_objs) mutate.o lie.o
seeds_objs := seeds.o pieces.o pieces_io.o build.o build_uring.o

check: $(reader_dir)/unit/unit
	@$<

fuzz: $(reader_dir)/fuzz/fuzz $(reader_dir)/unit/seeds
	@./fuzz-run $^ $(reader_dir) $(FUZZ_SECONDS)

$(reader_dir)/unit/unit: $(addprefix $(reader_dir)/unit/,$(unit_objs))
	@$(CC) -fsanitize=$(sanitize) -o $@ $^ -lxxhash

$(reader_dir)/unit/seeds: $(addprefix $(reader_dir)/unit/,$(seeds_objs))
	@$(CC) -fsanitize=$(sanitize) -o $@ $^ -lxxhash

$(reader_dir)/fuzz/fuzz: $(addprefix $(reader_dir)/fuzz/,$(fuzz_objs))
	@$(FUZZ_CC) -fsanitize=fuzzer,$(sanitize) -o $@ $^ -lxxhash

# Makes images that are lies, for the self-tests.
lie: $(reader_dir)/lie/lie

$(reader_dir)/lie/lie: $(addprefix $(reader_dir)/lie/,$(lie_objs))
	@$(CC) -o $@ $^ -lxxhash

vpath %.c . shim ../../../checkpoint

$(reader_dir)/unit/%.o: %.c reader.mk
	@mkdir -p $(@D)
	@$(CC) $(reader_flags) -fsanitize=$(sanitize) -MMD -c -o $@ $<

# What is under test is looked at for faults and new paths, the rest is fast.
$(reader_dir)/fuzz/%.o: %.c reader.mk
	@mkdir -p $(@D)
	@$(FUZZ_CC) $(reader_flags) -O2 $(if $(filter image_% walk.%,$(<F)), \
		-fsanitize=fuzzer-no-link$(comma)$(sanitize)) -MMD -c -o $@ $<

$(reader_dir)/lie/%.o: %.c reader.mk
	@mkdir -p $(@D)
	@$(CC) $(reader_flags) -O2 -MMD -c -o $@ $<

# Figures for the text on why records have the checksum that they have.
sum-speed: $(reader_dir)/sum_speed
	@$<

$(reader_dir)/sum_speed: sum_speed.c reader.mk
	@mkdir -p $(@D)
	@$(CC) -O2 -g -Wall -Wextra -Werror -std=gnu11 -o $@ $< -lxxhash

-include $(wildcard $(reader_dir)/*/*.d)

.PHONY: check fuzz lie sum-speed
