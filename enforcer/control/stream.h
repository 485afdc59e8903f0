/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the room itself needs of a stream; what others see is in server.h. */
#pragma once

struct control_stream;

/* Lets the answer end when what is queued is sent. */
void stream_end(struct control_stream *stream);
/* The request is over: calls closed. */
void stream_free(struct control_stream *stream);
