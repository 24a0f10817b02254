#!/bin/bash
# SPDX-License-Identifier: MIT
# redis-server, filled and driven by redis-benchmark through a unix socket,
# saved in the background (a fork), and started again from what it saved.
set -euo pipefail

cli()
{
	redis-cli -s "$PWD/socket" "$@"
}

# The server's binary is in Debian's redis-tools under another name, which
# spares starting the system's service; it goes by the name that it is given.
start_server()
{
	(exec -a redis-server redis-check-rdb --port 0 --unixsocket \
		"$PWD/socket" --save '' --dir "$PWD" --io-threads 2 \
		--enable-debug-command yes --logfile "$PWD/log") &
	server=$!
	trap 'kill $server' EXIT
	until cli PING >answer 2>&1 && grep -qx PONG answer; do
		kill -0 $server
	done
	# the preloaded server has what the preloaded shell has
	[[ -z ${LD_PRELOAD-} ]] || grep -qF "$LD_PRELOAD" /proc/$server/maps
}

stop_server()
{
	cli SHUTDOWN "$1" || true
	wait $server
	trap - EXIT
}

start_server
echo "benchmark"
redis-benchmark -s "$PWD/socket" -n 60000 -P 16 -c 20 -q --csv -t \
	set,get,incr,lpush,rpush,lpop,rpop,sadd,hset,spop,zadd,zpopmin,mset |
	cut -d, -f1
redis-benchmark -s "$PWD/socket" -n 20000 -P 8 -d 3000 -q --csv -t set,get |
	cut -d, -f1
redis-benchmark -s "$PWD/socket" -n 300 -q --csv -t lrange_100 | cut -d, -f1
cli FLUSHALL

echo "a known set of data"
awk 'BEGIN {
	for (i = 0; i < 120000; i++) {
		s = (s * 69069 + 1) % 4294967296
		k = i % 6
		if (k == 0) print "SET s" i, "value-" s
		if (k == 1) print "HSET h" i % 2000, "f" i, s
		if (k == 2) print "ZADD z" i % 300, s, "m" i
		if (k == 3) print "RPUSH l" i % 500, s s s s
		if (k == 4) print "SADD t" i % 700, s % 1000
		if (k == 5) print "APPEND a" i % 100, s
	}
	for (i = 0; i < 60000; i += 12) print "DEL s" i
	for (i = 0; i < 2000; i++) print "LPOP l" i % 500
	for (i = 0; i < 500; i++) print "HDEL h" i, "f" i
}' | cli --pipe | tail -n 1
cli DBSIZE
digest=$(cli DEBUG DIGEST)
echo "$digest"
cli SORT t14 LIMIT 0 5
cli EVAL 'local t = {} for i = 1, 20000 do t[i] = i .. "x" end
	return #table.concat(t)' 0
cli INFO errorstats

echo "a background save while writes go on"
cli BGSAVE
for ((i = 0; i < 20; i++)); do
	cli SETRANGE "during$i" 20000 x
done | sort | uniq -c
until cli INFO persistence | grep -q rdb_bgsave_in_progress:0; do
	cli SET more "$SECONDS" >answer
done
cli INFO persistence | grep -E '^(rdb_last_bgsave_status|rdb_saves):'

echo "from memory, through the file, and back"
for ((i = 0; i < 20; i++)); do
	cli DEL "during$i"
done | sort | uniq -c
cli DEL more | sed 's/.*/deleted/'
[[ $(cli DEBUG DIGEST) == "$digest" ]] && echo "same digest"
stop_server SAVE
start_server
cli DBSIZE
[[ $(cli DEBUG DIGEST) == "$digest" ]] && echo "same digest"
stop_server NOSAVE
grep -cE 'crashed|Guru|BUG' log || true
