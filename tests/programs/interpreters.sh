#!/bin/bash
# SPDX-License-Identifier: MIT
# Smaller interpreters, each with allocation habits of its own: lua (one
# realloc for everything), jq (reference counts), node (V8 with its threads),
# sqlite's and bash's siblings bc and awk.
set -euo pipefail

echo lua
lua5.4 - <<'END'
local state = 1
local function number()
	state = (state * 69069 + 1) & 0xffffffff
	return state >> 8
end
local words, order = {}, {}
for i = 1, 200000 do
	local key = "k" .. number() % 5000
	if not words[key] then
		words[key] = {}
		order[#order + 1] = key
	end
	table.insert(words[key], i)
end
table.sort(order)
local sum, parts = 0, {}
for _, key in ipairs(order) do
	for j, v in ipairs(words[key]) do
		sum = (sum * 31 + v * j) % 1000000007
	end
	parts[#parts + 1] = key .. ":" .. #words[key]
end
local text = table.concat(parts, ",")
print(#order, sum, #text, (text:gsub("%d+:", string.upper)):sub(1, 60))
local threads = {}
for i = 1, 20000 do
	threads[i] = coroutine.wrap(function(n)
		while true do n = coroutine.yield(n * i) end
	end)
end
local total = 0
for i = 1, 20000 do total = total + threads[i](2) + threads[i](3) end
threads = nil
collectgarbage()
print(total)
END

echo jq
jq -n '[range(60000) | {id: ., name: "n\(. * 7919 % 10007)",
	tags: [range(. % 5)]}]' >data.json
sha256sum data.json
jq -c 'group_by(.name) | map({key: .[0].name, value: (map(.id) | add)}) |
	from_entries | to_entries | sort_by(.value) | .[:5], length' data.json
jq '[.[] | .tags | length] | add' data.json
jq -r '.[] | select(.id % 1000 == 7) | @csv "\([.id, .name])"' data.json

echo node
cat >work.js <<'END'
const crypto = require('crypto');
const zlib = require('zlib');
const { Worker, isMainThread, parentPort, workerData } =
	require('worker_threads');
function work(seed) {
	let s = seed;
	const m = new Map();
	for (let i = 0; i < 100000; i++) {
		s = (Math.imul(s, 69069) + 1) >>> 0;
		const k = 'k' + s % 3000;
		m.set(k, (m.get(k) || '') + String.fromCharCode(97 + i % 26));
	}
	const text = JSON.stringify([...m].sort());
	const packed = zlib.gunzipSync(zlib.gzipSync(Buffer.from(text)));
	return crypto.createHash('sha256').update(packed).digest('hex');
}
if (isMainThread) {
	console.log(work(1));
	const buffers = [];
	for (let i = 0; i < 2000; i++)
		buffers.push(Buffer.alloc(i * 50, i % 256));
	console.log(Buffer.concat(buffers).length);
	Promise.all([2, 3].map(n => new Promise((resolve, reject) => {
		const worker = new Worker(__filename, { workerData: n });
		worker.on('message', resolve);
		worker.on('error', reject);
	}))).then(all => console.log(all.join('\n')));
} else {
	parentPort.postMessage(work(workerData));
}
END
node work.js

echo bc and awk
echo 'scale = 600; 4 * a(1); 2 ^ 3000' | bc -l | sha256sum
awk 'BEGIN {
	for (i = 0; i < 200000; i++)
		a[i % 7919] = a[i % 7919] sprintf("%c", 97 + i % 26)
	for (i = 0; i < 7919; i++)
		t = t substr(a[i], 1, 3)
	print length(t), substr(t, 1000, 50)
}'
