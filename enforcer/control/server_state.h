/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of this room share of a server. */
#pragma once

#include "control/credentials.h"
#include "control/server.h"
#include "control/socket.h"

#include <microhttpd.h>
#include <stdint.h>

struct control_request;

/* Bytes that all requests together may hold, so that many slow peers cost no more than this. */
#define SERVER_BODIES_MAX  (64UL << 20)
#define SERVER_REPLIES_MAX (128UL << 20)
#define SERVER_STREAMS_MAX 64

struct control_server {
	struct control_options options;
	char *socket_path;
	int listen_fd;
	struct socket_id socket_id;
	struct credentials credentials;
	struct MHD_Daemon *daemon;
	sd_event *event;
	sd_event_source *listen_source;
	sd_event_source *epoll_source;
	sd_event_source *timer;  /* when MHD wants to be called */
	sd_event_source *kick;   /* MHD has something to do now */
	sd_event_source *resume; /* accepts again after file descriptors ran out */
	struct control_request *requests;
	size_t connections;
	size_t readers; /* connections that may not change anything */
	size_t bodies_bytes;
	size_t replies_bytes;
	size_t streams;
	uint64_t requests_total;
	uint64_t refused_peers; /* without rights */
	uint64_t turned_away;   /* connections, requests and streams beyond a bound */
	uint64_t lines_lost;    /* by streams whose readers are too slow */
};

/* What the peer of a connection may do: CREDENTIALS_READ, CREDENTIALS_CHANGE. */
unsigned int server_rights(struct control_server *server, int fd);

/* Lets MHD run soon, from the event loop. */
void server_kick(struct control_server *server);
