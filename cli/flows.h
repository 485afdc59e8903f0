/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What "segctl flows" lists, wherever records come from. */
#pragma once

#include "listing.h"

extern const struct listing flows_listing;

/* "segctl flows --pcap FILE": packets in a file, judged by policies in files. */
int flows_pcap_run(struct settings *settings, int argc, char **argv);
