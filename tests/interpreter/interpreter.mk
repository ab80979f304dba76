# interpreter.mk: tests/interpreter, its operations in double and in float.
TWICE    = $(patsubst tests/interpreter/%.c,%, \
           $(wildcard tests/interpreter/op_*.c)) tape interpret
INTERPRETER = $(B)/interpreter/subject.o \
              $(foreach t,double float,$(TWICE:%=$(B)/interpreter/%_$(t).o))
FRONT    = $(filter-out $(B)/compiler/main.o,$(COMPILER))
$(B)/interpreter/%_double.o: tests/interpreter/%.c
	@mkdir -p $(@D)
	$(BASE) -O2 $(INCLUDE) -c -o $@ $<
$(B)/interpreter/%_float.o: tests/interpreter/%.c
	@mkdir -p $(@D)
	$(BASE) -O2 $(INCLUDE) -DNARROW -c -o $@ $<
$(B)/interpreter/%.o: tests/interpreter/%.c
	@mkdir -p $(@D)
	$(BASE) -O2 $(INCLUDE) -c -o $@ $<

# What judges emitted code, which finds librnet in it.
JUDGE    = $(patsubst %,$(B)/random/%.o,feed trial emitted compare guarded)
$(JUDGE): BASE += $(INCLUDE) -Itests/interpreter
$(B)/random/guarded.o: tests/guarded.c
	@mkdir -p $(@D)
	$(BASE) -U_GNU_SOURCE -c -o $@ $<
$(B)/random/compare: $(JUDGE) $(INTERPRETER) $(FRONT) $(B)/librnet.a
	$(CC) $(CFLAGS) $(LDFLAGS) -rdynamic -o $@ $(filter %.o,$^) \
	    -Wl,--whole-archive $(B)/librnet.a -Wl,--no-whole-archive -lm -ldl \
	    -pthread
