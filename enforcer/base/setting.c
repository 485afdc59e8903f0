/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/setting.h"

#include "base/cleanup.h"

int setting_read(const char *path)
{
	_cleanup_file_ FILE *file = fopen(path, "re");
	char text[32], *end;
	long value;

	if (!file || !fgets(text, sizeof(text), file))
		return -1;
	value = strtol(text, &end, 10);
	return end == text ? -1 : (int)value;
}
