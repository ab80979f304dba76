# examples.mk: builds the example programs as any project would build with
# rnetc: one rule makes C of a .rnet file, the rest is ordinary C.
EX      = $(B)/examples
EX_LIB  = $(EX)/data.o $(EX)/glyphs.o $(EX)/progress.o $(EX)/setup.o \
          $(B)/librnet.a
EX_BASE = $(BASE) -Iruntime -Iexamples -I$(EX)
TRAINED = resnet highway small_resnet
DATA   ?=
EPOCHS ?=

examples: $(addprefix $(EX)/,train classify degrade names write \
                             train_graph \
                             $(TRAINED:%=train_%))

# .rnet -> C.  KNOBS sets parameters of the network, as in
# make build/examples/twin.c KNOBS='-D depth=20'.
EX_RNETC = $(B)/rnetc -MD -MP -MF $(basename $@).rnet.d $(KNOBS)
$(EX)/%.c $(EX)/%.h: examples/%.rnet $(B)/rnetc
	@mkdir -p $(@D)
	$(EX_RNETC) $< -o $(EX)/$*.c

# A ResNet-8 for 28x28 grey images: resnet_cifar.rnet with other knobs.
$(EX)/resnet.c $(EX)/resnet.h: KNOBS = -D n=1 -D side=28 -D colours=1
$(EX)/resnet.c $(EX)/resnet.h &: examples/resnet_cifar.rnet $(B)/rnetc
	@mkdir -p $(@D)
	$(EX_RNETC) $< -o $(EX)/resnet.c

# And one for 8x8 grey images, such as UCI's optical digits.
$(EX)/small_resnet.c $(EX)/small_resnet.h: KNOBS = -D n=1 -D side=8 -D colours=1
$(EX)/small_resnet.c $(EX)/small_resnet.h &: examples/resnet_cifar.rnet $(B)/rnetc
	@mkdir -p $(@D)
	$(EX_RNETC) $< -o $(EX)/small_resnet.c

$(EX)/%.o: $(EX)/%.c
	$(EX_BASE) -c -o $@ $<
$(EX)/%.o: examples/%.c
	@mkdir -p $(@D)
	$(EX_BASE) -c -o $@ $<

# These include emitted headers, which must be there first.
$(EX)/train.o $(EX)/classify.o: $(EX)/residual_mlp.h
$(EX)/degrade.o: $(EX)/plain.h $(EX)/twin.h
$(EX)/names.o: $(EX)/letters.h
$(EX)/train_graph.o: $(EX)/gcn.h

EX_LINK = $(CC) $(CFLAGS) $(LDFLAGS) -pthread -o $@ $^ -lz -lm
$(EX)/train: $(EX)/train.o $(EX)/residual_mlp.o $(EX_LIB)
	$(EX_LINK)
$(EX)/classify: $(EX)/classify.o $(EX)/residual_mlp.o $(EX_LIB)
	$(EX_LINK)
$(EX)/degrade: $(EX)/degrade.o $(EX)/plain.o $(EX)/twin.o $(EX_LIB)
	$(EX_LINK)
$(EX)/names: $(EX)/names.o $(EX)/words.o $(EX)/letters.o $(EX_LIB)
	$(EX_LINK)

$(EX)/train_graph: $(EX)/train_graph.o $(EX)/papers.o $(EX)/gcn.o $(EX_LIB)
	$(EX_LINK)

$(EX)/train_text.o: NETWORK = chars
$(EX)/train_text.o: examples/train_text.c
	@mkdir -p $(@D)
	$(EX_BASE) -DNETWORK=$(NETWORK) -c -o $@ $<
$(EX)/write: $(EX)/train_text.o $(EX)/text.o $(EX)/chars.o $(EX_LIB)
	$(EX_LINK)

# One trainer for every classifier: it reads the network's table.
$(EX)/train_resnet.o $(EX)/train_small_resnet.o: NETWORK = resnet_cifar
$(EX)/train_highway.o: NETWORK = highway
$(TRAINED:%=$(EX)/train_%.o): examples/train_table.c
	@mkdir -p $(@D)
	$(EX_BASE) -DNETWORK=$(NETWORK) -c -o $@ $<
$(TRAINED:%=$(EX)/train_%): $(EX)/train_%: $(EX)/train_%.o $(EX)/%.o $(EX_LIB)
	$(EX_LINK)

# make train; make train DATA=folder-of-idx-files EPOCHS=3
train: $(EX)/train
	$(EX)/train $(if $(DATA),--data $(DATA)) $(if $(EPOCHS),--epochs $(EPOCHS))
degrade: $(EX)/degrade
	$(EX)/degrade
# make write; make write TEXT=file STEPS=5000
write: $(EX)/write
	$(EX)/write $(if $(TEXT),--text $(TEXT)) $(if $(STEPS),--steps $(STEPS))
# make graph; make graph NODES=file EDGES=file RUNS=5
graph: $(EX)/train_graph
	$(EX)/train_graph $(NODES) $(EDGES) $(RUNS)
# make names; make names NAMES=file STEPS=3000
names: $(EX)/names
	$(EX)/names $(NAMES) $(STEPS)

.PHONY: examples train degrade write names graph
.PRECIOUS: $(EX)/%.c $(EX)/%.h $(EX)/%.o
