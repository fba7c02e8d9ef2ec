package elastictest

import (
	"fmt"
	"slices"
	"strings"
)

const searchMapping = `{"mappings":{"dynamic":false,"properties":{"k":{"type":"keyword"},"n":{"type":"long"},"f":{"type":"double"},"b":{"type":"boolean"},"d":{"type":"date"},"o":{"properties":{"p":{"type":"keyword"},"q":{"type":"keyword"}}},"t":{"type":"text","fields":{"raw":{"type":"keyword","ignore_above":5}}}}}}`

const searchDocs = `{"index":{"_id":"a"}}
{"k":"x","n":3,"f":1.5,"b":true,"d":"2024-01-01","o":{"p":"one two"},"t":"short","u":1}
{"index":{"_id":"b"}}
{"k":["y","x"],"n":1,"b":false,"d":"2024-02-01T10:00:00Z","o":[{"p":"three"},{"q":"four"}],"t":"much longer"}
{"index":{"_id":"c"}}
{"n":2,"f":-3,"d":1700000000000,"o.p":"flat"}
{"index":{"_id":"d"}}
{"k":null,"n":2.5,"b":"true","o":{"z":1},"d":[]}
`

// search is a query and the ids that it finds.
func search(query string, ids ...string) []step {
	var hits []string
	for _, id := range ids {
		hits = append(hits, fmt.Sprintf(`{"_id":%q}`, id))
	}
	return []step{
		{do: "POST /{i}/_search?filter_path=hits.total,hits.hits._id", body: fmt.Sprintf(`{"query":%s,"sort":["_doc"]}`, query), status: 200, want: fmt.Sprintf(`{"hits":{"total":{"value":%d,"relation":"eq"}%s}}`, len(ids), ifAny(len(ids), `,"hits":[`+strings.Join(hits, ",")+"]"))},
		{do: "POST /{i}/_count", body: fmt.Sprintf(`{"query":%s}`, query), status: 200, want: fmt.Sprintf(`{"count":%d}`, len(ids))},
	}
}

// loaded is a case on an index with the documents above.
func loaded(name string, steps ...[]step) testCase {
	all := []step{
		{do: "PUT /{i}", body: searchMapping, status: 200},
		{do: "POST /{i}/_bulk?refresh=true", body: searchDocs, status: 200, want: `{"errors":false}`},
	}
	return testCase{name, append(all, slices.Concat(steps...)...)}
}

func ifAny(n int, text string) string {
	if n == 0 {
		return ""
	}
	return text
}

func searchCases() []testCase {
	cases := []testCase{
		loaded(
			"queries: one clause",
			search(`{"match_all":{}}`, "a", "b", "c", "d"),                          // match_all
			search(`{"ids":{"values":["a","d","zz"]}}`, "a", "d"),                   // ids
			search(`{"ids":{"values":[]}}`),                                         // ids, none
			search(`{"term":{"k":"x"}}`, "a", "b"),                                  // term of a keyword
			search(`{"term":{"k":{"value":"y","boost":2}}}`, "b"),                   // term, long form
			search(`{"term":{"n":2}}`, "c", "d"),                                    // term of a number
			search(`{"term":{"n":"3"}}`, "a"),                                       // term of a number as text
			search(`{"term":{"f":1.50}}`, "a"),                                      // term of a double
			search(`{"term":{"b":true}}`, "a", "d"),                                 // term of a boolean
			search(`{"term":{"o.p":"three"}}`, "b"),                                 // term of an inner field
			search(`{"term":{"o.p":"flat"}}`, "c"),                                  // term of a field written with a dot
			search(`{"term":{"t.raw":"short"}}`, "a"),                               // term of a sub-field
			search(`{"term":{"t.raw":"much longer"}}`),                              // term beyond ignore_above
			search(`{"term":{"_id":"a"}}`, "a"),                                     // term of _id
			search(`{"term":{"u":1}}`),                                              // term of a field that is not indexed
			search(`{"terms":{"n":[1,"2",9]}}`, "b", "c", "d"),                      // terms
			search(`{"terms":{"k":["y"]}}`, "b"),                                    // terms of keywords
			search(`{"range":{"n":{"gt":1,"lte":"3"}}}`, "a", "c", "d"),             // range of a number
			search(`{"range":{"k":{"gte":"y","lt":"z"}}}`, "b"),                     // range of a keyword
			search(`{"range":{"d":{"gte":"2024-01-15"}}}`, "b"),                     // range of a date
			search(`{"range":{"d":{"lt":"2024-01-01T00:00:00.001Z"}}}`, "a", "c"),   // range of a date by instant
			search(`{"range":{"d":{"gt":1700000000000,"lte":1704067200000}}}`, "a"), // range of a date by number
			search(`{"range":{"f":{"lt":0}}}`, "c"),                                 // range of a double
			search(`{"exists":{"field":"k"}}`, "a", "b"),                            // exists
			search(`{"exists":{"field":"o"}}`, "a", "b", "c"),                       // exists of an object
			search(`{"exists":{"field":"d"}}`, "a", "b", "c"),                       // exists of an empty list
			search(`{"exists":{"field":"zzz"}}`),                                    // exists of nothing
			search(`{"exists":{"field":"u"}}`),                                      // exists of what is not indexed
		),
		loaded(
			"queries: bool",
			search(`{"bool":{"filter":[{"term":{"k":"x"}}],"must_not":{"term":{"n":1}}}}`, "a"),                                 // bool filter and must_not
			search(`{"bool":{"must":[{"exists":{"field":"f"}},{"range":{"n":{"gte":3}}}]}}`, "a"),                               // bool must
			search(`{"bool":{"should":[{"term":{"k":"y"}},{"term":{"n":3}}]}}`, "a", "b"),                                       // bool should
			search(`{"bool":{"should":[{"term":{"k":"y"}}],"filter":[{"exists":{"field":"f"}}]}}`, "a", "c"),                    // bool should beside filter is optional
			search(`{"bool":{"should":[{"term":{"k":"x"}},{"term":{"n":3}}],"minimum_should_match":2}}`, "a"),                   // bool minimum_should_match
			search(`{"bool":{}}`, "a", "b", "c", "d"),                                                                           // empty bool
			search(`{"bool":{"must_not":[{"bool":{"should":[{"ids":{"values":["a"]}},{"ids":{"values":["c"]}}]}}]}}`, "b", "d"), // bool of bools
		),
		sortCase(),
	}
	return slices.Concat(cases, pageCases(), badSearchCases())
}

// sorted is a sort, what else is in the body, and the hits.
func sorted(sort, more, want string) []step {
	return []step{{
		do:   "POST /{i}/_search?filter_path=hits.hits._id,hits.hits.sort,hits.hits._score",
		body: fmt.Sprintf(`{"sort":%s%s}`, sort, more), status: 200, want: `{"hits":{"hits":` + want + `}}`,
	}}
}

func sortCase() testCase {
	return loaded(
		"sort",
		sorted(`["n"]`, ``, `[{"_id":"b","sort":[1],"_score":null},{"_id":"c","sort":[2]},{"_id":"d","sort":[2]},{"_id":"a","sort":[3]}]`),                                    // number
		sorted(`[{"n":"desc"}]`, ``, `[{"_id":"a","sort":[3]},{"_id":"c","sort":[2]},{"_id":"d","sort":[2]},{"_id":"b","sort":[1]}]`),                                         // number down
		sorted(`[{"k":{"order":"asc"}},{"n":"asc"}]`, ``, `[{"_id":"b","sort":["x",1]},{"_id":"a","sort":["x",3]},{"_id":"c","sort":[null,2]},{"_id":"d","sort":[null,2]}]`),  // keyword, with missing
		sorted(`[{"k":"desc"},{"n":"asc"}]`, ``, `[{"_id":"b","sort":["y",1]},{"_id":"a","sort":["x",3]},{"_id":"c"},{"_id":"d"}]`),                                           // keyword down
		sorted(`[{"k":{"order":"asc","missing":"_first"}},{"n":"desc"}]`, ``, `[{"_id":"c","sort":[null,2]},{"_id":"d"},{"_id":"a"},{"_id":"b"}]`),                            // missing first
		sorted(`[{"f":"asc"},{"n":"asc"}]`, ``, `[{"_id":"c","sort":[-3,2]},{"_id":"a","sort":[1.5,3]},{"_id":"b","sort":["Infinity",1]},{"_id":"d","sort":["Infinity",2]}]`), // double, with missing
		sorted(`[{"d":"desc"}]`, ``, `[{"_id":"b","sort":[1706781600000]},{"_id":"a","sort":[1704067200000]},{"_id":"c","sort":[1700000000000]},{"_id":"d","sort":"*"}]`),     // date, with missing
		sorted(`[{"b":"asc"},{"n":"asc"}]`, ``, `[{"_id":"b","sort":[0,1]},{"_id":"d","sort":[1,2]},{"_id":"a","sort":[1,3]},{"_id":"c"}]`),                                   // boolean
		sorted(`[{"n":"asc"},{"k":"asc"}]`, `,"search_after":[1,"x"],"size":2`, `[{"_id":"c"},{"_id":"d"}]`),                                                                  // search_after
		sorted(`[{"n":"desc"}]`, `,"search_after":[2]`, `[{"_id":"b","sort":[1]}]`),                                                                                           // search_after down
		sorted(`[{"k":"asc"},{"n":"asc"}]`, `,"search_after":["x",3]`, `[{"_id":"c"},{"_id":"d"}]`),                                                                           // search_after missing
		sorted(`[{"n":"asc"}]`, `,"from":1,"size":2`, `[{"_id":"c"},{"_id":"d"}]`),                                                                                            // from and size
		sorted(`[{"zz":{"order":"asc","unmapped_type":"keyword"}},{"n":"asc"}]`, `,"size":1`, `[{"_id":"b","sort":[null,1]}]`),                                                // unmapped with a type
		sorted(`["_doc"]`, ``, `[{"_id":"a","sort":"*","_score":null},{"_id":"b"},{"_id":"c"},{"_id":"d"}]`),                                                                  // _doc
	)
}

func pageCases() []testCase {
	with := func(name string, steps ...step) testCase { return loaded("search: "+name, steps) }
	src := func(source, want string) step {
		return step{do: "POST /{i}/_search?filter_path=hits.hits._source", body: `{"query":{"ids":{"values":["b"]}},"_source":` + source + `}`, status: 200, raw: want}
	}
	return []testCase{
		with("whole answer",
			step{do: "POST /{i}/_search", body: `{"size":1}`, status: 200, want: `{"took":"*","timed_out":false,"_shards":{"total":1,"successful":1,"skipped":0,"failed":0},"hits":{"total":{"value":4,"relation":"eq"},"max_score":1.0,"hits":[{"_index":"{i}","_id":"*","_score":1.0,"_source":{"n":"*"},"sort":"!","_seq_no":"!"}]},"pit_id":"!"}`},
			step{do: "GET /{i}/_search", status: 200, want: `{"hits":{"total":{"value":4}}}`},
			step{do: "GET /{i}/_search?size=0&_source=false", status: 200, want: `{"hits":{"total":{"value":4},"max_score":null,"hits":[]}}`},
		),
		with("totals",
			step{do: "POST /{i}/_search", body: `{"size":1,"track_total_hits":false}`, status: 200, want: `{"hits":{"total":"!"}}`},
			step{do: "POST /{i}/_search", body: `{"size":0,"track_total_hits":2}`, status: 200, want: `{"hits":{"total":{"value":2,"relation":"gte"}}}`},
			step{do: "POST /{i}/_search", body: `{"size":0,"track_total_hits":true,"query":{"term":{"k":"x"}}}`, status: 200, want: `{"hits":{"total":{"value":2,"relation":"eq"}}}`},
			step{do: "GET /{i}/_count", status: 200, want: `{"count":4,"_shards":{"total":1,"successful":1,"failed":0}}`},
		),
		with("sequence numbers",
			step{do: "POST /{i}/_search", body: `{"seq_no_primary_term":true,"version":true,"_source":false,"query":{"ids":{"values":["c"]}}}`, status: 200, want: `{"hits":{"hits":[{"_id":"c","_seq_no":2,"_primary_term":1,"_version":1,"_source":"!"}]}}`},
			step{do: "POST /{i}/_search?seq_no_primary_term=true", body: `{"query":{"ids":{"values":["c"]}}}`, status: 200, want: `{"hits":{"hits":[{"_seq_no":2,"_version":"!"}]}}`},
		),
		with("parts of the source",
			src(`["n"]`, `{"_source":{"n":1}}`),
			src(`"n"`, `{"_source":{"n":1}}`),
			src(`["o.p"]`, `{"_source":{"o":[{"p":"three"}]}}`),
			src(`["o.*"]`, `{"_source":{"o":[{"p":"three"},{"q":"four"}]}}`),
			src(`["k*","n"]`, `{"_source":{"k":["y","x"],"n":1}}`),
			src(`{"includes":["o"],"excludes":["o.p"]}`, `{"_source":{"o":[{"q":"four"}]}}`),
			src(`{"excludes":["o","t","d","b"]}`, `{"_source":{"k":["y","x"],"n":1}}`),
			src(`["nothing"]`, `{"_source":{}}`),
			src(`[]`, `"_source":{"k":`),
			step{do: "POST /{i}/_search?filter_path=hits.hits._source", body: `{"query":{"ids":{"values":["c"]}},"_source":["o.p"]}`, status: 200, raw: `{"_source":{"o.p":"flat"}}`},
			step{do: "POST /{i}/_search?filter_path=hits.hits._source", body: `{"query":{"ids":{"values":["c"]}},"_source":["o"]}`, status: 200, raw: `{"_source":{"o.p":"flat"}}`},
		),
		with("filter_path",
			step{do: "POST /{i}/_search?filter_path=hits.hits._id,pit_id", body: `{"query":{"ids":{"values":["c"]}}}`, status: 200, raw: `{"hits":{"hits":[{"_id":"c"}]}}`},
			step{do: "POST /{i}/_search?filter_path=**._id", body: `{"query":{"ids":{"values":["c"]}}}`, status: 200, raw: `{"hits":{"hits":[{"_id":"c"}]}}`},
			step{do: "POST /{i}/_search?filter_path=hits.hits,-hits.hits._source", body: `{"query":{"ids":{"values":["c"]}}}`, status: 200, want: `{"took":"!","hits":{"hits":[{"_id":"c","_source":"!"}]}}`},
			step{do: "POST /{i}/_search?filter_path=nothing", body: `{}`, status: 200, raw: `{}`},
			step{do: "POST /{i}/_search?filter_path=hits.hits._id", body: `{"query":{"ids":{"values":[]}}}`, status: 200, raw: `{}`},
		),
		with("a refresh is what makes writes visible",
			step{do: "DELETE /{i}/_doc/a", status: 200},
			step{do: "PUT /{i}/_doc/e", body: `{"n":9}`, status: 201},
			step{do: "POST /{i}/_refresh", status: 200, want: `{"_shards":{"failed":0,"successful":1}}`},
			step{do: "GET /{i}/_count", status: 200, want: `{"count":4}`},
			step{do: "POST /{i}/_search?filter_path=hits.hits._id", body: `{"sort":["n"]}`, status: 200, want: `{"hits":{"hits":[{"_id":"b"},{"_id":"c"},{"_id":"d"},{"_id":"e"}]}}`},
			step{do: "GET /{i}/_refresh", status: 200},
		),
	}
}

func badSearchCases() []testCase {
	refused := func(body, want string) step {
		return step{do: "POST /{i}/_search", body: body, status: 400, want: want}
	}
	return []testCase{
		{"search refused", []step{
			{do: "PUT /{i}", body: searchMapping, status: 200},
			refused(`{"size":`, failure("x_content_e_o_f_exception")),                                             // not whole
			refused(`{"size":x}`, failure("x_content_parse_exception")),                                           // no JSON
			refused(`{"query":{"ids":{"values":["a",""]}}}`, shardFailure("query_shard_exception")),               // an empty id
			refused(`{"size":10001}`, shardFailure("illegal_argument_exception")),                                 // window too large
			refused(`{"size":1,"from":10000}`, shardFailure("illegal_argument_exception")),                        // window too far
			refused(`{"size":-1}`, failure("illegal_argument_exception")),                                         // negative size
			refused(`{"search_after":[1]}`, shardFailure("illegal_argument_exception")),                           // search_after without sort
			refused(`{"sort":["n"],"search_after":[1,2]}`, shardFailure("illegal_argument_exception")),            // search_after of another length
			refused(`{"sort":["n"],"search_after":[1],"from":1}`, failure("action_request_validation_exception")), // from with search_after
			refused(`{"slice":{"id":0,"max":2}}`, failure("action_request_validation_exception")),                 // slice without a point in time
			refused(`{"sort":["zz"]}`, shardFailure("query_shard_exception")),                                     // sort by an unknown field
			refused(`{"query":{}}`, failure("illegal_argument_exception")),                                        // empty query
			refused(`{"query":{"match_all":{},"ids":{"values":[]}}}`, failure("parsing_exception")),               // two queries in one
			refused(`{"query":{"term":{"n":"abc"}}}`, shardFailure("query_shard_exception")),                      // text for a number
		}},
		{"count refused: size", []step{
			{do: "PUT /{i}", status: 200},
			{do: "POST /{i}/_count", body: `{"size":1}`, status: 400, want: failure("parsing_exception")},
		}},
		{"search: max_result_window of the index", []step{
			{do: "PUT /{i}", body: `{"settings":{"max_result_window":3}}`, status: 200},
			{do: "POST /{i}/_search", body: `{"size":4}`, status: 400, want: shardFailure("illegal_argument_exception")},
			{do: "POST /{i}/_search", body: `{"size":3}`, status: 200},
		}},
	}
}
