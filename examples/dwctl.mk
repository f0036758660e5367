# Targets for a project's Makefile: `include dwctl.mk`, then `make smoke`. Each ends with dwctl's exit
# code, so `make` fails when the pipeline does. Addresses come from DWCTL_API_URL and
# KAFKA_BOOTSTRAP_SERVERS; DWCTL=path/to/dwctl names another program.
DWCTL ?= dwctl
MODEL ?= model.pt
MODEL_ID ?= nightly

.PHONY: smoke publish

# The deployment works: upload, event, record, bytes, deletion.
smoke:
	$(DWCTL) smoke --timeout 30s --junit smoke.xml

# The model is stored and its event is on the topic. The place on the topic is fixed before the
# upload begins, so the event can neither be missed nor be one from before.
publish: $(MODEL)
	$(DWCTL) wait automl --match model_id=$(MODEL_ID) --timeout 60s -- $(DWCTL) upload $(MODEL) --user-id ci --model-id $(MODEL_ID) --framework pytorch --model-type classification
