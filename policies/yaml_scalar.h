/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a plain YAML 1.1 scalar is, as Kubernetes' reader resolves it. */
#pragma once

#include <yaml.h>

enum yaml_scalar_type {
	YAML_SCALAR_STRING,
	YAML_SCALAR_NULL,
	YAML_SCALAR_BOOLEAN,
	YAML_SCALAR_INTEGER,
	YAML_SCALAR_NUMBER, /* not an integer */
};

/* Of a scalar node; quoted and block scalars are strings. */
enum yaml_scalar_type yaml_scalar_type(const yaml_node_t *node);
/* "the boolean", … in front of the text; "the text" for a string. */
const char *yaml_scalar_type_name(enum yaml_scalar_type type);
