/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "observe/ndpi_library.h"

#include <dlfcn.h>
#include <errno.h>

/* The layouts that we read are those of the headers that we were built with. */
#define LIBRARY_NAME "libndpi.so.4.2"

_Static_assert(NDPI_MAJOR == 4 && NDPI_MINOR == 2, "LIBRARY_NAME is of these headers");

static int find(struct ndpi_library *library, struct error *error)
{
#define X(function)                                                               \
	*(void **)&library->function = dlsym(library->handle, "ndpi_" #function); \
	if (!library->function)                                                   \
		return error_set(error, -ELIBACC, "use " LIBRARY_NAME ": no ndpi_" #function);
	NDPI_FUNCTIONS(X)
#undef X
	if (library->detection_get_sizeof_ndpi_flow_struct() != sizeof(struct ndpi_flow_struct))
		return error_set(
			error, -ELIBACC, "use " LIBRARY_NAME ": not what segd was built for");
	return 0;
}

int ndpi_library_open(struct ndpi_library *library, struct error *error)
{
	struct ndpi_library opened = {.handle = dlopen(LIBRARY_NAME, RTLD_NOW | RTLD_LOCAL)};
	int r;

	if (!opened.handle)
		return error_set(error, -ELIBACC, "load nDPI: %s; install libndpi4.2", dlerror());
	r = find(&opened, error);
	if (r < 0) {
		dlclose(opened.handle);
		return r;
	}
	*library = opened;
	return 0;
}

void ndpi_library_close(struct ndpi_library *library)
{
	if (library->handle)
		dlclose(library->handle);
	library->handle = NULL;
}
