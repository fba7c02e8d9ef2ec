package elastictest

import (
	"fmt"
	"strings"
)

func pitCases() []testCase {
	var docs strings.Builder
	for id := range strings.SplitSeq("a b c d e f", " ") {
		fmt.Fprintf(&docs, "{\"index\":{\"_id\":%q}}\n{\"k\":%q}\n", id, id)
	}
	setUp := []step{
		{do: "PUT /{i}", body: `{"mappings":{"dynamic":false,"properties":{"k":{"type":"keyword"}}}}`, status: 200},
		{do: "POST /{i}/_bulk?refresh=true", body: docs.String(), status: 200, want: `{"errors":false}`},
		{do: "POST /{i}/_pit?keep_alive=1m", status: 200, want: `{"id":"$pit","_shards":{"total":1,"successful":1,"failed":0}}`},
	}
	with := func(name string, steps ...step) testCase {
		return testCase{"pit: " + name, append(append([]step{}, setUp...), steps...)}
	}
	const missing = `{"error":{"type":"search_phase_execution_exception","root_cause":[{"type":"search_context_missing_exception"}]},"status":404}`
	return []testCase{
		with("pages by _shard_doc",
			step{do: "POST /_search", body: `{"size":4,"pit":{"id":"{pit}","keep_alive":"1m"},"sort":["_shard_doc"],"track_total_hits":false,"_source":false}`, status: 200, want: `{"pit_id":"*","hits":{"total":"!","max_score":null,"hits":[{"_index":"{i}","_id":"a","_score":null,"sort":["$first"]},{"_id":"b"},{"_id":"c"},{"_id":"d","sort":["$last"]}]}}`},
			step{do: "POST /_search", body: `{"size":4,"pit":{"id":"{pit}","keep_alive":"1m"},"sort":["_shard_doc"],"track_total_hits":false,"search_after":[{last}]}`, status: 200, want: `{"hits":{"hits":[{"_id":"e","_source":{"k":"e"}},{"_id":"f","sort":["$last"]}]}}`},
			step{do: "POST /_search", body: `{"size":4,"pit":{"id":"{pit}"},"sort":["_shard_doc"],"search_after":[{last}]}`, status: 200, want: `{"hits":{"total":{"value":6},"hits":[]}}`},
			step{do: "POST /_search", body: `{"size":2,"pit":{"id":"{pit}"},"sort":[{"_shard_doc":"desc"}]}`, status: 200, want: `{"hits":{"hits":[{"_id":"f"},{"_id":"e","sort":["$last"]}]}}`},
			step{do: "POST /_search", body: `{"size":2,"pit":{"id":"{pit}"},"sort":[{"_shard_doc":"desc"}],"search_after":[{last}]}`, status: 200, want: `{"hits":{"hits":[{"_id":"d"},{"_id":"c"}]}}`},
			step{do: "DELETE /_pit", body: `{"id":"{pit}"}`, status: 200, want: `{"succeeded":true,"num_freed":1}`},
		),
		with("pages by a field, ties broken by itself",
			step{do: "POST /_search", body: `{"size":2,"pit":{"id":"{pit}"},"sort":[{"k":"desc"}]}`, status: 200, want: `{"hits":{"hits":[{"_id":"f","sort":["f","*"]},{"_id":"e","sort":["e","$tie"]}]}}`},
			step{do: "POST /_search", body: `{"size":2,"pit":{"id":"{pit}"},"sort":[{"k":"desc"}],"search_after":["e",{tie}]}`, status: 200, want: `{"hits":{"hits":[{"_id":"d"},{"_id":"c"}]}}`},
			step{do: "POST /_search", body: `{"size":1,"pit":{"id":"{pit}"},"sort":[{"k":"desc"}],"search_after":["c"]}`, status: 200, want: `{"hits":{"hits":[{"_id":"b","sort":["b"]}]}}`},
			step{do: "POST /_search", body: `{"size":1,"pit":{"id":"{pit}"}}`, status: 200, want: `{"hits":{"max_score":1,"hits":[{"_score":1,"sort":"!"}]}}`},
			step{do: "DELETE /_pit", body: `{"id":"{pit}"}`, status: 200},
		),
		with("does not see later writes",
			step{do: "POST /{i}/_bulk?refresh=true", body: `{"delete":{"_id":"a"}}` + "\n" + `{"index":{"_id":"b"}}` + "\n" + `{"k":"new"}` + "\n" + `{"index":{"_id":"z"}}` + "\n" + `{"k":"z"}` + "\n", status: 200},
			step{do: "POST /_search", body: `{"pit":{"id":"{pit}"},"sort":["k"],"seq_no_primary_term":true}`, status: 200, want: `{"hits":{"total":{"value":6},"hits":[{"_id":"a","_seq_no":0},{"_id":"b","_source":{"k":"b"},"_seq_no":1},{"_id":"c"},{"_id":"d"},{"_id":"e"},{"_id":"f"}]}}`},
			step{do: "POST /{i}/_search", body: `{"size":0}`, status: 200, want: `{"hits":{"total":{"value":6}}}`},
			step{do: "POST /{i}/_bulk", body: `{"delete":{"_id":"b","if_seq_no":1,"if_primary_term":1}}` + "\n", status: 200, want: `{"items":[{"delete":{"status":409}}]}`},
			step{do: "DELETE /_pit", body: `{"id":"{pit}"}`, status: 200},
		),
		with("two slices are the whole",
			step{do: "POST /_search", body: `{"size":0,"pit":{"id":"{pit}"},"slice":{"id":0,"max":2},"track_total_hits":true}`, status: 200, want: `{"hits":{"total":{"value":"$n0"}}}`},
			step{do: "POST /_search", body: `{"pit":{"id":"{pit}"},"query":{"bool":{"must_not":{"ids":{"values":["none"]}}}},"slice":{"id":0,"max":2},"sort":["_shard_doc"]}`, status: 200, want: `{"hits":{"total":{"value":{n0}}}}`},
			step{do: "POST /_search", body: `{"pit":{"id":"{pit}"},"slice":{"id":2,"max":2}}`, status: 400, want: failure("x_content_parse_exception")},
			step{do: "POST /_search", body: `{"pit":{"id":"{pit}"},"slice":{"id":0,"max":1}}`, status: 400, want: failure("x_content_parse_exception")},
			step{do: "DELETE /_pit", body: `{"id":"{pit}"}`, status: 200},
		),
		with("closed",
			step{do: "DELETE /_pit", body: `{"id":"{pit}"}`, status: 200, want: `{"succeeded":true}`},
			step{do: "DELETE /_pit", body: `{"id":"{pit}"}`, status: 404, want: `{"succeeded":false,"num_freed":0}`},
			step{do: "POST /_search", body: `{"pit":{"id":"{pit}","keep_alive":"1m"},"sort":["_shard_doc"]}`, status: 404, want: missing},
		),
		with("index deleted under it",
			step{do: "DELETE /{i}", status: 200},
			step{do: "POST /_search", body: `{"pit":{"id":"{pit}"}}`, status: 503, want: shardFailure("no_shard_available_action_exception")},
		),
		with("bad requests",
			step{do: "POST /{i}/_search", body: `{"pit":{"id":"{pit}"}}`, status: 400, want: failure("action_request_validation_exception")},
			step{do: "POST /_search", body: `{"pit":{"id":"junk"}}`, status: 400, want: failure("illegal_argument_exception")},
			step{do: "POST /_search", body: `{"pit":{}}`, status: 400, want: failure("illegal_argument_exception")},
			step{do: "DELETE /_pit", body: `{"id":"junk"}`, status: 400, want: failure("illegal_argument_exception")},
			step{do: "DELETE /_pit", body: `{}`, status: 400, want: failure("illegal_argument_exception")},
			step{do: "DELETE /_pit", status: 400, want: failure("parse_exception")},
			step{do: "POST /{i}/_pit", status: 400, want: failure("action_request_validation_exception")},
			step{do: "POST /{i}/_pit?keep_alive=junk", status: 400, want: failure("illegal_argument_exception")},
			step{do: "POST /{i}/_pit?keep_alive=25h", status: 400, want: shardFailure("illegal_argument_exception")},
			step{do: "DELETE /_pit", body: `{"id":"{pit}"}`, status: 200},
		),
	}
}
