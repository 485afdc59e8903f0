/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policies/yaml_file.h"

#include "base/cleanup.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define FILE_MAX_BYTES (1 << 20)

int yaml_file_read(const char *path, char **ret, size_t *ret_size, struct error *error)
{
	_cleanup_file_ FILE *stream = fopen(path, "re");
	_cleanup_free_ char *text = malloc(FILE_MAX_BYTES + 1);

	if (!stream)
		return error_errno(error, -errno, "open %s", path);
	if (!text)
		return error_nomem(error);
	*ret_size = fread(text, 1, FILE_MAX_BYTES + 1, stream);
	if (ferror(stream))
		return error_errno(error, -EIO, "read %s", path);
	if (*ret_size > FILE_MAX_BYTES)
		return error_set(error, -EFBIG, "%s is larger than %d bytes", path, FILE_MAX_BYTES);
	*ret = TAKE_PTR(text);
	return 0;
}
