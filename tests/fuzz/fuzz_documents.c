/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any bytes as policy documents: refused with at least one error, or taken, printed back, compiled
 * and evaluated. */
#include "policies/document.h"
#include "policies/evaluate.h"
#include "policies/model.h"

#include "base/cleanup.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
	if (!holds)
		abort();
}

/* The text that is kept of a document must mean the same document. */
static void check_text(const struct document *document)
{
	_cleanup_(documents_clear) struct document_list again = {0};
	_cleanup_(diagnostics_clear) struct diagnostics diagnostics = DIAGNOSTICS_INIT;
	int r = documents_parse(
		&again, "again", document->text, strlen(document->text), &diagnostics);

	require(r == 0 && again.count == 1);
	require(again.items[0]->kind == document->kind);
	require(!strcmp(again.items[0]->namespace, document->namespace));
	require(!strcmp(again.items[0]->name, document->name));
}

static void compile(const struct document_list *list)
{
	_cleanup_(model_freep) struct model *model = NULL;
	_cleanup_(ir_freep) struct ir *ir = NULL;
	const struct ir_options options = {.posture = POSTURE_AUDIT};
	struct flow_query query = {.protocol = 6, .port = 80};

	if (model_new(&model) < 0 || documents_to_model(list, model, NULL) < 0 ||
		model_finish(model, NULL) < 0)
		return;
	require(ir_compile(list, model, &options, &ir, NULL) == 0);
	for (size_t i = 0; i < ir->addresses_count; i++) {
		query.source = ir->addresses[i].address;
		query.destination = ir->addresses[ir->addresses_count - 1 - i].address;
		evaluate(ir, &query);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(documents_clear) struct document_list list = {0};
	_cleanup_(diagnostics_clear) struct diagnostics diagnostics = DIAGNOSTICS_INIT;
	int r = documents_parse(&list, "fuzz", (const char *)data, size, &diagnostics);

	require((r < 0) == (diagnostics.errors > 0));
	if (r < 0) {
		require(list.count == 0);
		return 0;
	}
	for (size_t i = 0; i < list.count; i++)
		check_text(list.items[i]);
	compile(&list);
	return 0;
}
