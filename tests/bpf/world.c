/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "world.h"

#include "base/cleanup.h"
#include "xdp/segd.skel.h"

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#define CONNECTIONS_DEFAULT 1024
#define CPUS_MAX            256

static const char *const devices[] = {"web", "api", "intruder"};

static int fd_of(const struct bpf_map *map)
{
	return bpf_map__fd(map);
}

static int make_devices(struct error *error)
{
	if (unshare(CLONE_NEWNET) < 0)
		return error_errno(error, -errno, "enter a new network namespace");
	for (size_t i = 0; i < ARRAY_SIZE(devices); i++) {
		char command[128];

		snprintf(command, sizeof(command), "ip link add %s type veth peer name %s-in",
			devices[i], devices[i]);
		if (system(command) != 0)
			return error_set(error, -EIO, "%s: failed", command);
	}
	return 0;
}

static int collect_event(void *context, void *data, size_t size)
{
	struct world *world = context;
	const struct abi_event *event = data;

	if (size != sizeof(*event) || event->type > ABI_EVENT_DENIED)
		return -EPROTO;
	world->events.count[event->type]++;
	world->events.last[event->type] = *event;
	return 0;
}

/* The configuration is read-only for the programs, and for us from when they are loaded. */
static struct abi_configuration *configure(struct segd_bpf *skeleton)
{
	return (struct abi_configuration *)&skeleton->rodata->configuration;
}

static int load(struct world *world, const struct world_options *options, struct error *error)
{
	int r;

	world->skeleton = segd_bpf__open();
	if (!world->skeleton)
		return error_errno(error, -errno, "open the skeleton");
	bpf_map__set_max_entries(world->skeleton->maps.connections,
		options->connections_max ? options->connections_max : CONNECTIONS_DEFAULT);
	configure(world->skeleton)->ethertypes[0] = WORLD_ETHERTYPE;
	if (options->udp_ns)
		configure(world->skeleton)->udp_ns = options->udp_ns;
	if (options->share)
		configure(world->skeleton)->share = options->share;
	if (options->denials_share)
		configure(world->skeleton)->denials_share = options->denials_share;
	configure(world->skeleton)->samples = options->samples;
	configure(world->skeleton)->sampled_connections = options->sampled_connections;
	bpf_map__set_max_entries(world->skeleton->maps.denials, CONNECTIONS_DEFAULT);
	r = segd_bpf__load(world->skeleton);
	if (r < 0)
		return error_errno(error, r, "load the programs");
	world->ring =
		ring_buffer__new(fd_of(world->skeleton->maps.events), collect_event, world, NULL);
	if (!world->ring)
		return error_errno(error, -errno, "open the ring buffer");
	return 0;
}

int world_open(struct world *world, const struct world_options *options, struct error *error)
{
	static const struct world_options usual;
	const struct rlimit unlimited = {RLIM_INFINITY, RLIM_INFINITY};
	int r;

	*world = (struct world){0};
	setrlimit(RLIMIT_MEMLOCK, &unlimited);
	r = make_devices(error);
	if (r < 0)
		return r;
	r = load(world, options ? options : &usual, error);
	if (r < 0)
		world_close(world);
	return r;
}

void world_close(struct world *world)
{
	ring_buffer__free(world->ring);
	segd_bpf__destroy(world->skeleton);
	*world = (struct world){0};
}

static int clear(const struct bpf_map *map, struct error *error)
{
	uint8_t key[64], next[64];
	int more = bpf_map_get_next_key(fd_of(map), NULL, key);

	while (more == 0) {
		more = bpf_map_get_next_key(fd_of(map), key, next);
		if (bpf_map_delete_elem(fd_of(map), key) < 0)
			return error_errno(error, -errno, "clear %s", bpf_map__name(map));
		memcpy(key, next, sizeof(key));
	}
	return 0;
}

static void clear_counters(const struct bpf_map *map)
{
	static const struct abi_counter zero[2 * CPUS_MAX];

	for (uint32_t i = 0; i < bpf_map__max_entries(map); i++)
		bpf_map_update_elem(fd_of(map), &i, zero, BPF_ANY);
}

static struct end end_make(const char *ipv4, const char *ipv6, bool want_ipv6, uint32_t identity)
{
	struct end end = {.identity = identity, .class = identity};

	address_parse(want_ipv6 ? ipv6 : ipv4, &end.address);
	end.mac[0] = 2;
	end.mac[5] = (uint8_t)(0x10 * identity);
	if (identity <= WORLD_INTRUDER)
		end.ifindex = if_nametoindex(devices[identity - WORLD_WEB]);
	return end;
}

static void make_ends(struct world *world, bool ipv6)
{
	world->ipv6 = ipv6;
	world->web = end_make("10.1.0.1", "2001:db8::1", ipv6, WORLD_WEB);
	world->api = end_make("10.1.0.2", "2001:db8::2", ipv6, WORLD_API);
	world->intruder = end_make("10.1.0.3", "2001:db8::3", ipv6, WORLD_INTRUDER);
	world->host = end_make("10.1.0.254", "2001:db8::fe", ipv6, WORLD_HOST);
	world->internet = end_make("198.51.100.7", "2001:db8:ffff::7", ipv6,
		ipv6 ? WORLD_INTERNET_V6 : WORLD_INTERNET_V4);
}

int world_set_address(
	const struct world *world, const struct address *address, const struct abi_address *value)
{
	return bpf_map_update_elem(fd_of(world->skeleton->maps.addresses), address, value, BPF_ANY);
}

int world_set_endpoint(
	const struct world *world, const struct end *end, const struct abi_endpoint *endpoint)
{
	return bpf_map_update_elem(
		fd_of(world->skeleton->maps.endpoints), &end->ifindex, endpoint, BPF_ANY);
}

int world_get_endpoint(const struct world *world, const struct end *end, struct abi_endpoint *ret)
{
	return bpf_map_lookup_elem(fd_of(world->skeleton->maps.endpoints), &end->ifindex, ret);
}

static int forget_share(const struct world *world, const struct end *end)
{
	const struct abi_share none = {0};
	uint32_t index = end->ifindex % ABI_MAX_ENDPOINTS;

	return bpf_map_update_elem(fd_of(world->skeleton->maps.shares), &index, &none, BPF_ANY);
}

static int enter_end(const struct world *world, const struct end *end)
{
	struct abi_address address = {.identity = end->identity, .ifindex = end->ifindex};
	struct abi_endpoint endpoint = {.identity = end->identity};
	int r;

	if (!end->ifindex)
		address.flags = ABI_ADDRESS_HOST;
	else
		memcpy(address.mac, end->mac, sizeof(address.mac));
	r = world_set_address(world, &end->address, &address);
	if (r < 0 || !end->ifindex)
		return r;
	memcpy(endpoint.mac, end->mac, sizeof(endpoint.mac));
	r = forget_share(world, end);
	return r < 0 ? r : world_set_endpoint(world, end, &endpoint);
}

static int enter_prefixes(const struct world *world)
{
	struct abi_prefix_key key = {.length = 96, .bytes = {[10] = 0xff, [11] = 0xff}};
	struct abi_prefix prefix = {.identity = WORLD_INTERNET_V4};
	int fd = fd_of(world->skeleton->maps.prefixes);
	int r = bpf_map_update_elem(fd, &key, &prefix, BPF_ANY);

	if (r < 0)
		return r;
	key = (struct abi_prefix_key){.length = 0};
	prefix.identity = WORLD_INTERNET_V6;
	return bpf_map_update_elem(fd, &key, &prefix, BPF_ANY);
}

int world_reset(struct world *world, bool ipv6, struct error *error)
{
	const struct bpf_map *tables[] = {world->skeleton->maps.connections,
		world->skeleton->maps.denials, world->skeleton->maps.fragments,
		world->skeleton->maps.addresses, world->skeleton->maps.endpoints,
		world->skeleton->maps.peers, world->skeleton->maps.ports,
		world->skeleton->maps.hits};
	int r;

	for (size_t i = 0; i < ARRAY_SIZE(tables); i++) {
		r = clear(tables[i], error);
		if (r < 0)
			return r;
	}
	clear_counters(world->skeleton->maps.counters);
	clear_counters(world->skeleton->maps.losses);
	clear_counters(world->skeleton->maps.recent_hits);
	/* Generations begin anew, too. */
	clear_counters(world->skeleton->maps.recent_decisions);
	world_take_events(world);
	make_ends(world, ipv6);
	const struct end *ends[] = {&world->web, &world->api, &world->intruder, &world->host};
	for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
		r = enter_end(world, ends[i]);
		if (r < 0)
			return error_errno(error, r, "enter an end");
	}
	r = enter_prefixes(world);
	if (r < 0)
		return error_errno(error, r, "enter the prefixes");
	world->generation = 0;
	world_forget_policy(world);
	return world_apply(world, error);
}

int world_send(struct world *world, const struct frame *frame, enum abi_direction hook,
	uint32_t ifindex, uint32_t *ret_verdict)
{
	struct frame sent = *frame;
	uint32_t mark = 0;

	return world_send_marked(world, &sent, hook, ifindex, &mark, ret_verdict);
}

int world_send_marked(struct world *world, struct frame *frame, enum abi_direction hook,
	uint32_t ifindex, uint32_t *mark, uint32_t *ret_verdict)
{
	struct __sk_buff context = {.ifindex = ifindex, .mark = *mark};
	struct __sk_buff after = {0};
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = frame->bytes,
		.data_size_in = (uint32_t)frame->size, .data_out = frame->bytes,
		.data_size_out = sizeof(frame->bytes), .ctx_in = &context,
		.ctx_size_in = sizeof(context), .ctx_out = &after, .ctx_size_out = sizeof(after),
		.repeat = 1);
	const struct bpf_program *program = hook == ABI_EGRESS ? world->skeleton->progs.segd_leave
							       : world->skeleton->progs.segd_enter;
	int r = bpf_prog_test_run_opts(bpf_program__fd(program), &options);

	if (r < 0)
		return r;
	frame->size = options.data_size_out;
	*mark = after.mark;
	*ret_verdict = options.retval;
	return 0;
}

uint64_t world_counter(
	const struct world *world, enum reason reason, enum abi_direction hook, uint64_t *ret_bytes)
{
	uint32_t index = reason * ABI_DIRECTIONS + hook;
	struct abi_counter values[CPUS_MAX] = {0};
	uint64_t packets = 0, bytes = 0;

	bpf_map_lookup_elem(fd_of(world->skeleton->maps.counters), &index, values);
	for (size_t i = 0; i < CPUS_MAX; i++) {
		packets += values[i].packets;
		bytes += values[i].bytes;
	}
	if (ret_bytes)
		*ret_bytes = bytes;
	return packets;
}

struct abi_share world_share(const struct world *world, const struct end *end)
{
	uint32_t index = end->ifindex % ABI_MAX_ENDPOINTS;
	struct abi_share share = {0};

	bpf_map_lookup_elem(fd_of(world->skeleton->maps.shares), &index, &share);
	return share;
}

uint64_t world_hits(const struct world *world, uint32_t rule)
{
	uint32_t place = rule % ABI_RECENT_HITS;
	uint64_t values[CPUS_MAX] = {0}, recent[CPUS_MAX] = {0}, sum = 0;

	bpf_map_lookup_elem(fd_of(world->skeleton->maps.hits), &rule, values);
	bpf_map_lookup_elem(fd_of(world->skeleton->maps.recent_hits), &place, recent);
	for (size_t i = 0; i < CPUS_MAX; i++)
		sum += values[i] + (recent[i] >> 32 == rule ? (uint32_t)recent[i] : 0);
	return sum;
}

uint64_t world_loss(const struct world *world, enum abi_loss loss)
{
	uint32_t index = loss;
	uint64_t values[CPUS_MAX] = {0}, sum = 0;

	bpf_map_lookup_elem(fd_of(world->skeleton->maps.losses), &index, values);
	for (size_t i = 0; i < CPUS_MAX; i++)
		sum += values[i];
	return sum;
}

int world_connection(const struct world *world, const struct frame_description *description,
	struct abi_connection_key *ret_key, struct abi_connection *ret)
{
	struct abi_connection_key key = frame_connection_key(description);
	struct abi_connection connection;
	int r = bpf_map_lookup_elem(fd_of(world->skeleton->maps.connections), &key, &connection);

	if (r < 0)
		return r;
	if (ret_key)
		*ret_key = key;
	if (ret)
		*ret = connection;
	return 0;
}

int world_set_connection(const struct world *world, const struct abi_connection_key *key,
	const struct abi_connection *connection)
{
	return bpf_map_update_elem(
		fd_of(world->skeleton->maps.connections), key, connection, BPF_ANY);
}

static size_t count(const struct bpf_map *map)
{
	uint8_t key[64], next[64];
	const void *previous = NULL;
	size_t entries = 0;

	while (bpf_map_get_next_key(fd_of(map), previous, next) == 0) {
		memcpy(key, next, sizeof(key));
		previous = key;
		entries++;
	}
	return entries;
}

size_t world_connections_count(const struct world *world)
{
	return count(world->skeleton->maps.connections);
}

size_t world_denials_count(const struct world *world)
{
	return count(world->skeleton->maps.denials);
}

int world_denial(const struct world *world, enum reason reason, struct abi_denial_key *ret_key,
	struct abi_denial *ret)
{
	int fd = fd_of(world->skeleton->maps.denials);
	struct abi_denial_key key, next;
	const void *previous = NULL;

	while (bpf_map_get_next_key(fd, previous, &next) == 0) {
		key = next;
		previous = &key;
		if (key.reason != reason ||
			(ret_key->ifindex &&
				(key.ifindex != ret_key->ifindex || key.hook != ret_key->hook)))
			continue;
		*ret_key = key;
		return bpf_map_lookup_elem(fd, &key, ret);
	}
	return -ENOENT;
}

struct world_events world_take_events(struct world *world)
{
	struct world_events taken;

	ring_buffer__consume(world->ring);
	taken = world->events;
	world->events = (struct world_events){0};
	return taken;
}

uint64_t world_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}
