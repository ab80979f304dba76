# fuzz.mk: the fuzz targets, after `make all`: make -f tests/fuzz/fuzz.mk KIND=...
#   plain      objects of the build, replay.c: limits of time and memory are real
#   sanitized  cc with the address and undefined sanitizers, replay.c
#   libfuzzer  clang, libFuzzer's main
#   afl        afl-clang-fast, AFL++'s main, persistent
#   coverage   clang, counts lines and branches, replay.c
KIND     ?= sanitized
B         = build
O         = $(B)/fuzz/$(KIND)
TO        = $(O)/fuzz_
ROOMS     = base syntax check graph plan emit report cli
INCLUDE   = $(ROOMS:%=-Icompiler/%) -I$(B)/compiler/syntax -Iruntime -Iexamples
BASE      = -std=gnu11 -D_GNU_SOURCE -g -Wall -Wextra $(INCLUDE)
SANITIZE  = -fsanitize=address,undefined -fno-sanitize-recover=all \
            -fno-omit-frame-pointer
MAIN      = replay

CC_plain       = $(CC)
FLAGS_plain    = -O2
CC_sanitized   = cc
FLAGS_sanitized = -O0 $(SANITIZE)
CC_libfuzzer   = clang
FLAGS_libfuzzer = -O1 $(SANITIZE) -fsanitize=fuzzer-no-link
LINK_libfuzzer = -fsanitize=fuzzer
CC_afl         = AFL_USE_ASAN=1 AFL_USE_UBSAN=1 AFL_QUIET=1 afl-clang-fast
FLAGS_afl      = -O1 -fno-sanitize-recover=all
LINK_afl       = -fsanitize=fuzzer
CC_coverage    = clang
FLAGS_coverage = -O1 -fprofile-instr-generate -fcoverage-mapping
ifneq ($(filter libfuzzer afl,$(KIND)),)
MAIN      =
endif
COMPILE   = $(CC_$(KIND)) $(BASE) $(FLAGS_$(KIND)) -MMD -MP

TARGETS   = compiler safetensors idx counts words text papers
PARSER    = $(B)/compiler/syntax/lex.c $(B)/compiler/syntax/parse.c
COMPILER  = $(patsubst %.c,%.o,$(wildcard compiler/*/*.c)) \
            $(PARSER:$(B)/%.c=%.o)
OBJECTS   = $(addprefix $(if $(filter plain,$(KIND)),$(B),$(O))/,$(1))
LOADING   = runtime/safetensors.o runtime/safetensors_header.o \
            runtime/tensor.o runtime/memory.o runtime/philox.o \
            runtime/status.o
NEEDS_compiler    = $(O)/tests/fuzz/pipeline.o $(call OBJECTS,$(COMPILER))
NEEDS_safetensors = $(call OBJECTS,$(LOADING))
NEEDS_idx         = $(O)/examples/data.o
NEEDS_counts      = $(O)/examples/data.o
NEEDS_words       = $(O)/examples/words.o
NEEDS_text        = $(O)/examples/text.o
NEEDS_papers      = $(O)/examples/papers.o $(call OBJECTS,runtime/memory.o)

all: $(TARGETS:%=$(TO)%) $(if $(filter plain sanitized,$(KIND)),$(O)/mangle) \
    $(if $(filter plain,$(KIND)),$(O)/seed)
SHARED    = $(O)/tests/fuzz/target.o $(MAIN:%=$(O)/tests/fuzz/%.o)
.SECONDEXPANSION:
$(TARGETS:%=$(TO)%): $(TO)%: $(O)/tests/fuzz/%.o $(SHARED) $$(NEEDS_$$*)
	$(CC_$(KIND)) $(FLAGS_$(KIND)) $(LINK_$(KIND)) -o $@ $^ -lz -lm
$(O)/mangle: $(O)/tests/fuzz/mangle.o $(NEEDS_compiler)
	$(CC_$(KIND)) $(FLAGS_$(KIND)) -o $@ $^ -lm
$(O)/seed: $(O)/tests/fuzz/seed.o $(NEEDS_safetensors)
	$(CC_$(KIND)) $(FLAGS_$(KIND)) -o $@ $^ -lm
$(O)/tests/fuzz/%.o: BASE += -Wshadow
$(O)/%.o: %.c
	@mkdir -p $(@D)
	$(COMPILE) -c -o $@ $<
$(O)/%.o: $(B)/%.c
	@mkdir -p $(@D)
	$(COMPILE) -c -o $@ $<
.PHONY: all
.SECONDARY:
-include $(shell find $(O) -name '*.d' 2>/dev/null)
