# rnetc: the compiler, its runtime, examples and tests.  Output goes to build/.
CC      ?= cc
CFLAGS  ?= -O2 -g
WARN     = -Wall -Wextra -Wshadow -Wstrict-prototypes -Wpointer-arith
STD      = -std=gnu11 -D_GNU_SOURCE -ffp-contract=fast
PREFIX  ?= /usr/local
B        = build
BASE     = $(CC) $(STD) $(WARN) $(CFLAGS) -MMD -MP

# Instruction sets the kernels are compiled for, and their flags.
ARCH    := $(shell $(CC) -dumpmachine)
ISAS     = base $(if $(filter x86_64%,$(ARCH)),avx2 avx512)
ISA_base   =
ISA_avx2   = -mavx2 -mfma -mf16c
ISA_avx512 = -mavx2 -mfma -mf16c -mavx512f -mavx512bw -mavx512dq -mavx512vl \
             -mprefer-vector-width=512

COMPILER = $(patsubst compiler/%.c,$(B)/compiler/%.o,$(wildcard compiler/*.c)) \
           $(B)/compiler/lex.o $(B)/compiler/parse.o
RUNTIME  = $(patsubst runtime/%.c,$(B)/runtime/%.o,$(wildcard runtime/*.c)) \
           $(patsubst runtime/scalar/%.c,$(B)/runtime/scalar/%.o,$(wildcard runtime/scalar/*.c)) \
           $(foreach i,$(ISAS),$(patsubst runtime/kernels/%.c,$(B)/runtime/$(i)/%.o,$(wildcard runtime/kernels/*.c)))

all: $(B)/rnetc $(B)/librnet.a

$(B)/rnetc: $(COMPILER)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ -lm
$(B)/librnet.a: $(RUNTIME)
	@rm -f $@
	$(AR) rcs $@ $^

$(B)/compiler/lex.c: compiler/lex.re | $(B)/compiler
	re2c -W -Werror --no-generation-date -i -o $@ $<
$(B)/compiler/parse.c: compiler/parse.y | $(B)/compiler
	bison -Wall -Wcounterexamples -Werror --no-lines --header=$(B)/compiler/parse.h -o $@ $<
$(B)/compiler/parse.h: $(B)/compiler/parse.c ;
$(B)/compiler/lex.o $(B)/compiler/parse.o: $(B)/compiler/%.o: $(B)/compiler/%.c $(B)/compiler/parse.h
	$(BASE) -Icompiler -I$(B)/compiler -c -o $@ $<
$(B)/compiler/%.o: compiler/%.c $(B)/compiler/parse.h | $(B)/compiler
	$(BASE) -Icompiler -I$(B)/compiler -c -o $@ $<

$(B)/runtime/%.o: runtime/%.c
	@mkdir -p $(@D)
	$(BASE) -pthread -c -o $@ $<
$(B)/runtime/scalar/%.o: runtime/scalar/%.c
	@mkdir -p $(@D)
	$(BASE) -DRNET_ISA=scalar -c -o $@ $<
define isa_rule
$(B)/runtime/$(1)/%.o: runtime/kernels/%.c
	@mkdir -p $$(@D)
	$(BASE) $(ISA_$(1)) -DRNET_ISA=$(1) -c -o $$@ $$<
endef
$(foreach i,$(ISAS),$(eval $(call isa_rule,$(i))))
$(B)/compiler:
	@mkdir -p $@

clean:
	rm -rf $(B)
.PHONY: all clean
-include $(shell find $(B) -name '*.d' 2>/dev/null)
