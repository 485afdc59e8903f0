/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any text as a label selector: refused with a place inside it, or formatted and read back equal.
 */
#include "policies/selector.h"

#include "base/cleanup.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
	if (!holds)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(selector_clear) struct selector selector = {0};
	_cleanup_(selector_clear) struct selector again = {0};
	_cleanup_free_ char *text = strndup((const char *)data, size);
	_cleanup_free_ char *problem = NULL;
	_cleanup_free_ char *formatted = NULL;
	_cleanup_free_ char *twice = NULL;
	const struct labels none = {0};
	size_t offset = 0;

	if (selector_parse(text, &selector, &problem, &offset) < 0) {
		require(problem && offset <= strlen(text));
		return 0;
	}
	formatted = selector_format(&selector);
	require(selector_parse(formatted, &again, &problem, &offset) == 0);
	twice = selector_format(&again);
	require(!strcmp(formatted, twice));
	require(selector_matches(&selector, &none) == selector_matches(&again, &none));
	return 0;
}
