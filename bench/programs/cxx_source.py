# SPDX-License-Identifier: MIT
"""A C++ source that makes the compiler instantiate many templates."""

SOURCE = '''// SPDX-License-Identifier: MIT
#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <tuple>
#include <unordered_map>
#include <variant>
#include <vector>

template <int N> struct key {
	std::string name = std::to_string(N);
	int number = N;
	auto operator<=>(const key &) const = default;
};

template <int N> struct sum {
	static constexpr long value = N + sum<N - 1>::value;
};
template <> struct sum<0> {
	static constexpr long value = 0;
};

template <class... T> auto sizes(const T &...all)
{
	return std::make_tuple(all.size()...);
}

using record = std::tuple<key<1>, std::string, std::vector<key<1>>>;
using value = std::variant<int, std::string, record>;

struct base {
	virtual ~base() = default;
	virtual long visit(const value &v) = 0;
};

struct visitor : base {
	std::map<key<1>, std::vector<record>> by_key;
	std::unordered_map<std::string, std::shared_ptr<base>> by_name;

	long visit(const value &v) override
	{
		return std::visit([this](const auto &x) -> long {
			using T = std::decay_t<decltype(x)>;
			if constexpr (std::is_same_v<T, record>)
				by_key[std::get<0>(x)].push_back(x);
			return sizeof(T) + sum<250>::value;
		}, v);
	}
};

long run(std::vector<value> &values)
{
	visitor v;
	std::function<long(const value &)> f = [&v](const value &x) {
		return v.visit(x);
	};
	long total = 0;
	for (auto &x : values)
		total += f(x);
	std::stable_sort(values.begin(), values.end(),
			 [&](const auto &a, const auto &b) {
				 return f(a) < f(b);
			 });
	return total + std::get<0>(sizes(values, v.by_key, v.by_name));
}
'''


def write(stream):
    """Write the source."""
    stream.write(SOURCE)
