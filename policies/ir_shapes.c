/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policies/ir_compile.h"

#include "base/cleanup.h"
#include "policies/array.h"

#include <errno.h>

/* Whatever policies can ask a workload, as bytes. Labels are sorted; ports stay as they are. */
static int shape_key(const struct model_workload *workload, char **ret, size_t *ret_size)
{
	FILE *stream = open_memstream(ret, ret_size);

	if (!stream)
		return -ENOMEM;
	fprintf(stream, "%s%c", workload->namespace, '\0');
	for (size_t i = 0; i < workload->labels.count; i++)
		fprintf(stream, "%s%c%s%c", workload->labels.items[i].key, '\0',
			workload->labels.items[i].value, '\0');
	for (size_t i = 0; i < workload->ports_count; i++)
		fprintf(stream, "%c%s%c%d/%d", '\0', workload->ports[i].name, '\0',
			workload->ports[i].protocol, workload->ports[i].port);
	if (fclose(stream)) {
		free(*ret);
		return -ENOMEM;
	}
	return 0;
}

static int find_shape(struct compile *compile, struct intern *keys,
	const struct model_workload *workload, uint32_t *ret)
{
	_cleanup_free_ char *key = NULL;
	struct shape *shape;
	uint32_t number;
	char *made;
	size_t size;
	int r;

	if (shape_key(workload, &made, &size) < 0)
		return -ENOMEM;
	key = made;
	r = intern(keys, key, size, &number);
	if (r < 0)
		return r;
	if (r > 0) {
		shape = array_append(compile->shapes, compile->shapes_count);
		if (!shape)
			return -ENOMEM;
		shape->workload = workload;
		shape->namespace = model_find_namespace(compile->model, workload->namespace);
	}
	compile->shapes[number].local |= !workload->remote;
	*ret = number;
	return 0;
}

int compile_shapes(struct compile *compile, struct error *error)
{
	_cleanup_(intern_clear) struct intern keys = {0};
	const struct model *model = compile->model;

	compile->workload_shapes = calloc(model->workloads_count + 1, sizeof(uint32_t));
	if (!compile->workload_shapes)
		return error_nomem(error);
	for (size_t i = 0; i < model->workloads_count; i++) {
		compile->workload_shapes[i] = SHAPE_NONE;
		if (!model->workloads[i].host_network &&
			find_shape(compile, &keys, &model->workloads[i],
				&compile->workload_shapes[i]) < 0)
			return error_nomem(error);
	}
	return 0;
}
