/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/cleanup.h"

#include <pcap/pcap.h>

DEFINE_CLEANUP(pcap_t *, pcap_close)

#define _cleanup_pcap_ _cleanup_(pcap_closep)
