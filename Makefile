# rnetc: the compiler, its runtime, examples and tests.  Output goes to build/.
CC      ?= cc
CFLAGS  ?= -O2 -g
PREFIX  ?= /usr/local
WARN     = -Wall -Wextra -Wshadow -Wstrict-prototypes -Wpointer-arith
STD      = -std=gnu11 -D_GNU_SOURCE -ffp-contract=fast
B        = build
BASE     = $(CC) $(STD) $(WARN) $(CPPFLAGS) $(CFLAGS) -MMD -MP
VERSION  = $(shell sed -n 's/.*RNETC_VERSION "\(.*\)"/\1/p' compiler/emit/emit.h)

# The instruction sets that kernels are compiled for.  Kernels are always -O2: at
# -O1 their accumulators go through memory and half of the speed is lost.
KERNEL   = -O2
ISAS    := base $(if $(filter x86_64%,$(shell $(CC) -dumpmachine)),avx2 avx512)
ISA_avx2   = -mavx2 -mfma -mf16c
ISA_avx512 = $(ISA_avx2) -mavx512f -mavx512bw -mavx512dq -mavx512vl \
             -mprefer-vector-width=512

ROOMS    = base syntax check graph plan emit report cli
COMPILER = $(patsubst %.c,$(B)/%.o,$(wildcard compiler/*.c compiler/*/*.c)) \
           $(B)/compiler/syntax/lex.o $(B)/compiler/syntax/parse.o
KERNELS  = $(notdir $(wildcard runtime/kernels/*.c))
RUNTIME  = $(patsubst %.c,$(B)/%.o,$(wildcard runtime/*.c runtime/scalar/*.c)) \
           $(foreach i,$(ISAS),$(KERNELS:%.c=$(B)/runtime/$(i)/%.o))
UNIT     = $(patsubst tests/unit/%.c,$(B)/tests/%,$(wildcard tests/unit/test_*.c))
HARNESS  = $(addprefix $(B)/random/,generate shrink compare)

all: $(B)/rnetc $(B)/librnet.a

$(B)/rnetc: $(COMPILER)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ -lm
$(B)/librnet.a: $(RUNTIME)
	@rm -f $@
	$(AR) rcs $@ $^

$(B)/compiler/syntax/lex.c: compiler/syntax/lex.re
	@mkdir -p $(@D)
	re2c -W -Werror --no-generation-date $(if $(LINED),,-i) -o $@ $<
$(B)/compiler/syntax/parse.c $(B)/compiler/syntax/parse.h &: compiler/syntax/parse.y
	@mkdir -p $(@D)
	bison -Wall -Wcounterexamples -Werror $(if $(LINED),,--no-lines) \
	    --header=$(B)/compiler/syntax/parse.h -o $(B)/compiler/syntax/parse.c $<
$(COMPILER): $(B)/compiler/syntax/parse.h
LIBRARY  = $(sort $(wildcard library/*.rnet))
$(B)/compiler/syntax/library.inc: $(LIBRARY)
	@mkdir -p $(@D)
	for f in $^; do echo "{ \"$$(basename $$f .rnet)\","; sed \
	    's/[\\"]/\\&/g; s/.*/"&\\n"/' $$f; echo "},"; done > $@.new && mv $@.new $@
$(B)/compiler/syntax/library.o: $(B)/compiler/syntax/library.inc
INCLUDE  = $(ROOMS:%=-Icompiler/%) -I$(B)/compiler/syntax
$(B)/compiler/%.o: compiler/%.c
	@mkdir -p $(@D)
	$(BASE) $(INCLUDE) -c -o $@ $<
$(B)/compiler/%.o: $(B)/compiler/%.c
	$(BASE) $(INCLUDE) -c -o $@ $<

$(B)/runtime/%.o: runtime/%.c
	@mkdir -p $(@D)
	$(BASE) -DRNET_ISA=scalar -pthread -c -o $@ $<
define isa_rule
$(B)/runtime/$(1)/%.o: runtime/kernels/%.c
	@mkdir -p $$(@D)
	$(BASE) $(KERNEL) $(ISA_$(1)) -DRNET_ISA=$(1) -c -o $$@ $$<
endef
$(foreach i,$(ISAS),$(eval $(call isa_rule,$(i))))

# The scalar twins with double in place of float, for differences: tests/double.h
DOUBLE   = $(B)/librnet_double.a
$(B)/double/%.o: %.c
	@mkdir -p $(@D)
	$(BASE) -O1 -Iruntime -DRNET_ONLY_SCALAR -DRNET_ISA=scalar \
	    -include tests/double.h -pthread -c -o $@ $<
$(DOUBLE): $(patsubst %.c,$(B)/double/%.o,$(wildcard runtime/*.c \
                        runtime/scalar/*.c) tests/sample.c)
	@rm -f $@
	$(AR) rcs $@ $^

# Tests: `make check` (or test) runs all and ends with "N passed, N failed".
$(B)/tests/%: LINK = $(BASE) -I. -Iruntime -Itests -I$(B)/tests -o $@ \
    $(filter %.c,$^) $(filter %.a,$^) $(LDFLAGS) -lcmocka -lz -lm -pthread
$(B)/tests/%: tests/unit/%.c $(B)/librnet.a
	@mkdir -p $(@D)
	$(LINK)
$(B)/tests/test_data: examples/data.c examples/glyphs.c
$(B)/tests/test_papers: examples/papers.c
$(B)/tests/test_numerics: $(patsubst %.rnet,$(B)/%.c, \
    $(wildcard tests/numerics/*.rnet))
$(B)/tests/numerics/%.c: tests/numerics/%.rnet $(B)/rnetc
	@mkdir -p $(@D)
	$(B)/rnetc $< -o $@

check test: all $(UNIT) $(DOUBLE) $(HARNESS)
	BUILD=$(B) tests/all.sh $(UNIT)
pictures: all
	BUILD=$(B) sh tests/docs.sh --pictures
golden: all
	for t in tests/golden*.sh; do BUILD=$(B) sh $$t --update || exit; done
bench bench-kernels: all
	BUILD=$(B) sh tests/bench/bench.sh $(@:bench-%=%)

# All tests again with each sanitizer, everything built with it: an hour.
sanitize:
	tests/sanitize.sh --long

# The long versions of the tests that have one, and a table of their figures.
torture: all $(UNIT) $(DOUBLE) $(HARNESS)
	BUILD=$(B) tests/torture.sh

# Branches that the tests take.  LINED: generated C names its source's lines.
coverage:
	tests/coverage.sh

lint:
	cppcheck -q -j2 --std=c11 --error-exitcode=1 --inline-suppr \
	    --enable=warning,portability --suppress=invalidPointerCast \
	    --suppress=arrayIndexThenCheck --suppress=uninitvar:runtime/kernels/point.c \
	    -DRNET_ISA=scalar compiler runtime examples

BIN = $(DESTDIR)$(PREFIX)/bin
INC = $(DESTDIR)$(PREFIX)/include
LIB = $(DESTDIR)$(PREFIX)/lib
SHARE = $(DESTDIR)$(PREFIX)/share
install: all
	install -d $(BIN) $(INC) $(LIB)/pkgconfig $(LIB)/cmake/Rnet \
	    $(SHARE)/man/man1 $(SHARE)/rnet/examples/zoo \
	    $(SHARE)/rnet/library $(SHARE)/bash-completion/completions
	install $(B)/rnetc $(BIN)
	install -m 644 runtime/rnet.h runtime/rnet_kernels.h $(INC)
	install -m 644 $(B)/librnet.a $(LIB)
	sed 's|@PREFIX@|$(PREFIX)|; s|@VERSION@|$(VERSION)|' packaging/rnet.pc.in \
	    > $(LIB)/pkgconfig/rnet.pc
	sed 's|@VERSION@|$(VERSION)|' packaging/cmake/RnetConfig.cmake \
	    > $(LIB)/cmake/Rnet/RnetConfig.cmake
	install -m 644 docs/rnetc.1 $(SHARE)/man/man1
	install -m 644 examples/*.rnet $(SHARE)/rnet/examples
	install -m 644 examples/zoo/*.rnet $(SHARE)/rnet/examples/zoo
	install -m 644 $(LIBRARY) $(SHARE)/rnet/library
	install -m 644 packaging/rnetc.bash $(SHARE)/bash-completion/completions/rnetc
uninstall:
	rm -rf $(BIN)/rnetc $(INC)/rnet.h $(INC)/rnet_kernels.h $(LIB)/librnet.a \
	    $(LIB)/pkgconfig/rnet.pc $(LIB)/cmake/Rnet $(SHARE)/man/man1/rnetc.1 \
	    $(SHARE)/rnet $(SHARE)/bash-completion/completions/rnetc

clean:
	rm -rf $(B)
.PHONY: all check test golden pictures bench bench-kernels sanitize coverage torture lint install uninstall clean
-include examples/examples.mk tests/random/random.mk tests/interpreter/interpreter.mk
-include $(shell find $(B) -name '*.d' 2>/dev/null)
