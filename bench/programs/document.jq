# SPDX-License-Identifier: MIT
# Group, sort and sum the orders of the document; one object an article.
[.[] | select(.paid) | {name: .customer.name, item: .items[]}
	| {article: .item.article, cost: (.item.count * .item.price),
		name: (.name | ascii_downcase | split(" ")[0])}]
	| group_by(.article)
	| map({article: .[0].article, sold: length,
		earned: (map(.cost) | add | floor),
		buyers: (map(.name) | unique | length)})
	| sort_by(-.earned)[]
