# SPDX-License-Identifier: MIT
# What Ruby programs do all day: strings, symbols, hashes, blocks, objects.
Record = Struct.new(:id, :name, :tags, :next)

class Numbers
  def initialize
    @state = 1
  end

  def below(limit)
    @state = (@state * 1103515245 + 12345) & 0x7fffffff
    (@state >> 8) % limit
  end
end

numbers = Numbers.new

# Strings too long for an object slot, in a table of records.
records = (1..60_000).map do |id|
  name = "record number #{id} " + 'n' * numbers.below(80)
  tags = Array.new(1 + numbers.below(6)) { "tag#{numbers.below(500)}" }
  Record.new(id, name, tags, nil)
end

# Group, sort, join.
by_tag = Hash.new { |hash, tag| hash[tag] = [] }
records.each { |record| record.tags.each { |tag| by_tag[tag] << record.id } }
index = by_tag.sort_by { |tag, ids| [-ids.size, tag] }
lines = index.map { |tag, ids| "#{tag}: #{ids.first(200).join(',')}" }
text = lines.join("\n")

# Rewrite by regular expressions.
words = text.scan(/\d{2,}/)
            .map { |word| word.gsub(/[13579]/) { |digit| "<#{digit}>" } }

# Objects that come and go.
slots = Array.new(5_000)
300_000.times do |i|
  slots[numbers.below(slots.size)] =
    { id: i, name: "object #{i} of a table that is long enough",
      list: [i, i + 1, i + 2, i + 3] }
end

length = slots.compact.sum { |slot| slot[:name].size + slot[:list].sum }
puts [index.size, text.size, words.size, words.last, length,
      records.sum { |record| record.name.size }].join(' ')
