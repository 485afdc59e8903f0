/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Memory that a change of policies or workloads has left over goes back to the kernel: the C
 * library keeps for ever what is freed below something that is still in use. */
#pragma once

struct agent;

/* Once no other change has come for a while. Where there is no memory for a timer, the next time.
 */
void trim_soon(struct agent *agent);
