/* SPDX-License-Identifier: MIT */
/* A server over a long time: connections, requests, a cache whose values grow
 */
#include "draw.h"
#include "watch.h"

#include <stdlib.h>

/*
 * Each step is a request on a random connection. It makes short-lived blocks,
 * and asks a cache for a key; what isn't there is stored, and the least
 * recently used values go until the cache is within its limit again. Now and
 * then a connection ends and another one comes, with blocks of its own that
 * live as long as it does. After a quarter of the requests at a time the
 * values stored are of other sizes, as after a release of the program: small,
 * medium, tiny, large.
 */
enum {
	CONNECTIONS = 1000,
	CONNECTION_BLOCKS = 12,
	CONNECTION_REQUESTS = 100, /* mean, in its life */
	REQUEST_BLOCKS = 8,
	KEYS = 1 << 20,
	NO_KEY = KEYS,
	CACHE_BYTES = 48 << 20,
	ERAS = 4,
	ERA_REQUESTS = 600000,
	ERA_POINTS = 50,
	REST_NS = 5000000, /* at each point, for want of requests */
};

static const struct mix mix_values[ERAS] = {
	{ { { 500, 150, 250 }, { 500, 250, 400 } } },
	{ { { 500, 500, 700 }, { 500, 700, 1000 } } },
	{ { { 500, 60, 80 }, { 500, 80, 120 } } },
	{ { { 500, 2000, 3000 }, { 500, 3000, 5000 } } },
};

/* Its parts: descriptors, strings, and the buffers for input and output. */
static const struct mix mix_connection = { {
	{ 500, 24, 120 },
	{ 300, 200, 700 },
	{ 200, 4096, 8192 },
} };

struct value {
	void *block;
	uint32_t bytes;
	uint32_t newer, older; /* keys: the order of use, a ring by NO_KEY */
};

struct connection {
	void *blocks[CONNECTION_BLOCKS];
	uint32_t bytes[CONNECTION_BLOCKS];
};

static struct {
	struct connection *connections;
	struct value *values; /* by key; [NO_KEY] is the ring's head */
	size_t cache_bytes;
	size_t connection_bytes;
	uint64_t random;
} server = { .random = BENCH_SEED };

static void end_connection(struct connection *connection)
{
	for (int i = 0; i < CONNECTION_BLOCKS; i++) {
		free(connection->blocks[i]);
		server.connection_bytes -= connection->bytes[i];
	}
}

static void begin_connection(struct connection *connection)
{
	for (int i = 0; i < CONNECTION_BLOCKS; i++) {
		size_t bytes = draw_size(&server.random, &mix_connection);

		connection->blocks[i] = touched(bytes);
		connection->bytes[i] = (uint32_t)bytes;
		server.connection_bytes += bytes;
	}
}

static void unlink_value(const struct value *value)
{
	server.values[value->older].newer = value->newer;
	server.values[value->newer].older = value->older;
}

static void link_newest(uint32_t key)
{
	struct value *ring = &server.values[NO_KEY];
	struct value *value = &server.values[key];

	value->older = ring->older;
	value->newer = NO_KEY;
	server.values[ring->older].newer = key;
	ring->older = key;
}

static void evict_oldest(void)
{
	struct value *value = &server.values[server.values[NO_KEY].newer];

	unlink_value(value);
	free(value->block);
	value->block = NULL;
	server.cache_bytes -= value->bytes;
}

/* Keys differ in how often they are asked for: low ones more. */
static uint32_t draw_key(void)
{
	uint32_t key = bench_below(&server.random, KEYS);

	return bench_below(&server.random, key + 1);
}

static void ask_cache(const struct mix *mix)
{
	uint32_t key = draw_key();
	struct value *value = &server.values[key];

	if (value->block) {
		unlink_value(value);
		link_newest(key);
		return;
	}
	value->bytes = (uint32_t)draw_size(&server.random, mix);
	value->block = touched(value->bytes);
	server.cache_bytes += value->bytes;
	link_newest(key);
	while (server.cache_bytes > CACHE_BYTES)
		evict_oldest();
}

static void serve_request(const struct mix *mix)
{
	uint32_t from = bench_below(&server.random, CONNECTIONS);
	void *blocks[REQUEST_BLOCKS];

	for (int i = 0; i < REQUEST_BLOCKS; i++)
		blocks[i] = touched(draw_size(&server.random, &mix_usual));
	ask_cache(mix);
	for (int i = 0; i < REQUEST_BLOCKS; i++)
		free(blocks[i]);
	if (bench_below(&server.random, CONNECTION_REQUESTS) == 0) {
		end_connection(&server.connections[from]);
		begin_connection(&server.connections[from]);
	}
}

static void prepare(void)
{
	server.connections =
		own_table(CONNECTIONS * sizeof(*server.connections));
	server.values = own_table((KEYS + 1) * sizeof(*server.values));
	server.values[NO_KEY].newer = NO_KEY;
	server.values[NO_KEY].older = NO_KEY;
}

int main(void)
{
	uint64_t start;

	prepare();
	start = cpu_ns();
	for (int i = 0; i < CONNECTIONS; i++)
		begin_connection(&server.connections[i]);
	for (int point = 0; point < ERAS * ERA_POINTS; point++) {
		const struct mix *mix = &mix_values[point / ERA_POINTS];

		for (int i = 0; i < ERA_REQUESTS / ERA_POINTS; i++)
			serve_request(mix);
		curve_point(server.cache_bytes + server.connection_bytes);
		sleep_ns(REST_NS);
	}
	report((double)(cpu_ns() - start) / (ERAS * ERA_REQUESTS), NULL, 0);
	return 0;
}
