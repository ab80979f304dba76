# random.mk: the programs of tests/random.
GENERATOR = draw tree gen census layers layers_maps layers_rows layers_shape \
            column blocks groups library program generate
$(B)/random/generate: $(GENERATOR:%=$(B)/random/%.o)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^
$(B)/random/%.o: tests/random/%.c
	@mkdir -p $(@D)
	$(BASE) -O1 -Iruntime -Itests -c -o $@ $<
$(B)/random/shrink: $(B)/random/shrink.o $(B)/random/draw.o
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^
