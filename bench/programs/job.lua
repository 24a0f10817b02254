-- SPDX-License-Identifier: MIT
-- What Lua programs do all day: tables, closures, strings.
local state = 1

local function number(below)
	state = (state * 1103515245 + 12345) & 0x7fffffff
	return (state >> 8) % below
end

-- Binary trees, built and dropped.
local function tree(depth)
	if depth == 0 then return {} end
	return {tree(depth - 1), tree(depth - 1)}
end

local function size(node)
	return node[1] and 1 + size(node[1]) + size(node[2]) or 1
end

local nodes = 0
local kept = tree(14)
for _ = 1, 80 do
	nodes = nodes + size(tree(12))
end

-- Words, counted and sorted.
local counts, words = {}, {}
for _ = 1, 300000 do
	local letters = {}
	for i = 1, 2 + number(4) do
		letters[i] = string.char(97 + number(16))
	end
	local word = table.concat(letters)
	if not counts[word] then words[#words + 1] = word end
	counts[word] = (counts[word] or 0) + 1
end
table.sort(words, function(a, b)
	if counts[a] ~= counts[b] then return counts[a] > counts[b] end
	return a < b
end)

-- Records of strings, changed over and over.
local records = {}
for i = 1, 300000 do
	records[number(20000)] = {
		id = i, name = 'record ' .. i,
		value = string.rep('v', number(60)),
		get = function(self) return self.name .. self.value end,
	}
end
local length = 0
for i = 0, 19999 do
	if records[i] then length = length + #records[i]:get() end
end

local text = table.concat(words, ' '):gsub('%f[%w](%w)(%w*)',
	function(first, rest) return rest .. first:upper() end)
print(nodes, size(kept), #words, words[1], length, #text, text:sub(1, 40))
