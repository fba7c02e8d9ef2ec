package elastictest

import (
	"fmt"
	"strings"
)

func bulkCases() []testCase {
	long := strings.Repeat("x", 512)
	return append([]testCase{
		{"bulk: index, create, delete and what each answers", []step{
			{do: "POST /_bulk", status: 200, body: `{"index":{"_index":"{i}","_id":"1"}}
{"a":1}
{"create":{"_index":"{i}","_id":"1"}}
{"a":2}
{"create":{"_index":"{i}","_id":"2"}}
{"a":2}
{"index":{"_index":"{i}","_id":"1"}}
{"a":3}
{"delete":{"_index":"{i}","_id":"2"}}
{"delete":{"_index":"{i}","_id":"none"}}
`, want: `{"errors":true,"took":"*","items":[
				{"index":{"_index":"{i}","_id":"1","_version":1,"result":"created","_seq_no":0,"_primary_term":1,"status":201,"_shards":{"total":2,"successful":1,"failed":0}}},
				{"create":{"_id":"1","status":409,"error":{"type":"version_conflict_engine_exception","reason":"[1]: version conflict, document already exists (current version [1])","index":"{i}","shard":"0"},"result":"!"}},
				{"create":{"_id":"2","status":201,"result":"created","_seq_no":1}},
				{"index":{"_id":"1","status":200,"result":"updated","_version":2,"_seq_no":2}},
				{"delete":{"_id":"2","status":200,"result":"deleted","_version":2,"_seq_no":3}},
				{"delete":{"_id":"none","status":404,"result":"not_found","_version":1,"_seq_no":4,"error":"!"}}]}`},
			{do: "GET /{i}/_doc/1", status: 200, want: `{"_source":{"a":3},"_seq_no":2,"_version":2}`},
			{do: "GET /{i}/_doc/2", status: 404, want: `{"found":false}`},
		}},
		{"bulk: guarded operations", []step{
			{do: "PUT /{i}/_doc/1", body: `{"a":1}`, status: 201},
			{do: "POST /{i}/_bulk", status: 200, body: `{"index":{"_id":"1","if_seq_no":5,"if_primary_term":1}}
{"a":2}
{"delete":{"_id":"1","if_seq_no":0,"if_primary_term":2}}
{"delete":{"_id":"gone","if_seq_no":0,"if_primary_term":1}}
{"index":{"_id":"1","if_seq_no":0,"if_primary_term":1}}
{"a":3}
{"delete":{"_id":"1","if_seq_no":0,"if_primary_term":1}}
{"delete":{"_id":"1","if_seq_no":1,"if_primary_term":1}}
`, want: `{"errors":true,"items":[
				{"index":{"status":409,"error":{"type":"version_conflict_engine_exception","reason":"[1]: version conflict, required seqNo [5], primary term [1]. current document has seqNo [0] and primary term [1]"}}},
				{"delete":{"status":409,"error":{"type":"version_conflict_engine_exception"}}},
				{"delete":{"status":409,"error":{"type":"version_conflict_engine_exception","reason":"[gone]: version conflict, required seqNo [0], primary term [1]. but no document was found"}}},
				{"index":{"status":200,"_seq_no":1}},
				{"delete":{"status":409}},
				{"delete":{"status":200,"result":"deleted"}}]}`},
			{do: "POST /{i}/_bulk", body: `{"delete":{"_id":"1","if_seq_no":0}}` + "\n", status: 400, want: failure("action_request_validation_exception")},
		}},
		{"bulk: filter_path", []step{
			{do: "POST /{i}/_bulk?filter_path=errors,items.*.status,items.*.error,items.*.result,items.*._id", status: 200, body: `{"index":{"_id":"1"}}
{"a":1}
{"create":{"_id":"1"}}
{"a":2}
`, want: `{"errors":true,"took":"!","items":[{"index":{"_id":"1","status":201,"result":"created","_index":"!","_seq_no":"!","_shards":"!"}},{"create":{"_id":"1","status":409,"error":{"type":"version_conflict_engine_exception","reason":"*"},"_index":"!"}}]}`},
			{do: "POST /{i}/_bulk?filter_path=errors", body: `{"delete":{"_id":"1"}}` + "\n", status: 200, want: `{"errors":false,"items":"!"}`},
			{do: "POST /{i}/_bulk?filter_path=items.*.error", body: `{"delete":{"_id":"1"}}` + "\n", status: 200, want: `{"items":"!"}`},
			{do: "POST /{i}/_bulk?filter_path=errors,items.*.status", body: "junk\n", status: 400, want: failure("x_content_parse_exception")},
		}},
		{"bulk: the source comes back byte for byte", []step{
			{do: "POST /{i}/_bulk?refresh=true", status: 200, body: `{"index":{"_id":"1"}}
 { "b" : 1.50 ,"a":"é\u00e9\/", "n":[1e3, -0.0], "l":12345678 }` + " \n" + `{"index":{"_id":"2"}}` + "\r\n" + `{"x":"half \ud800 pair"}` + "\r\n", want: `{"errors":false}`},
			{do: "GET /{i}/_doc/1", status: 200, raw: ` { "b" : 1.50 ,"a":"é\u00e9\/", "n":[1e3, -0.0], "l":12345678 }`},
			{do: "POST /{i}/_search", body: `{"query":{"ids":{"values":["1"]}}}`, status: 200, raw: ` { "b" : 1.50 ,"a":"é\u00e9\/", "n":[1e3, -0.0], "l":12345678 }`},
			{do: "GET /{i}/_doc/2", status: 200, raw: `"_source":{"x":"half \ud800 pair"}`},
		}},
		{"bulk: documents that cannot be read fail alone", []step{
			{do: "PUT /{i}", body: `{"mappings":{"dynamic":false}}`, status: 200},
			{do: "POST /{i}/_bulk", status: 200, body: badDocuments(), want: badAnswers()},
			{do: "POST /{i}/_refresh", status: 200},
			{do: "GET /{i}/_count", status: 200, want: `{"count":1}`},
		}},
		{"bulk: nesting up to the limit", []step{
			{do: "PUT /{i}", body: `{"mappings":{"dynamic":false}}`, status: 200},
			{do: "PUT /{i}/_doc/1", body: `{"a":` + strings.Repeat("[", 999) + strings.Repeat("]", 999) + `}`, status: 201},
			{do: "PUT /{i}/_doc/2", body: `{"a":` + strings.Repeat("[", 1000) + strings.Repeat("]", 1000) + `}`, status: 400, want: failure("document_parsing_exception")},
		}},
		{"bulk: the longest id", []step{
			{do: "POST /{i}/_bulk", body: fmt.Sprintf("{\"index\":{\"_id\":%q}}\n{\"a\":1}\n", long), status: 200, want: `{"errors":false}`},
			{do: "GET /{i}/_doc/" + long, status: 200, want: `{"found":true}`},
			{do: "POST /{i}/_bulk", body: fmt.Sprintf("{\"index\":{\"_id\":\"2\"}}\n{\"a\":1}\n{\"index\":{\"_id\":%q}}\n{\"a\":1}\n", long+"x"), status: 400, want: failure("action_request_validation_exception")},
			{do: "GET /{i}/_doc/2", status: 404},
			{do: "GET /{i}/_doc/" + long + "x", status: 404, want: `{"found":false}`},
		}},
		{"bulk: ids of all sorts", []step{
			{do: "POST /{i}/_bulk", status: 200, body: `{"index":{"_id":"a/b c+d?e#f%"}}
{"n":1}
{"index":{"_id":7}}
{"n":2}
{"index":{"_id":"\u00e9\"\\\n"}}
{"n":3}
{"index":{}}
{"n":4}
{"index":{"_id":null}}
{"n":5}
{"index":{"_id":""}}
{"n":6}
`, want: `{"errors":true,"items":[{"index":{"_id":"a/b c+d?e#f%","status":201}},{"index":{"_id":"7","status":201}},{"index":{"_id":"é\"\\\n","status":201}},{"index":{"_id":"$auto","status":201}},{"index":{"status":201}},{"index":{"_id":"","status":400,"error":{"type":"illegal_argument_exception"}}}]}`},
			{do: "GET /{i}/_doc/a%2Fb%20c%2Bd%3Fe%23f%25", status: 200, want: `{"_id":"a/b c+d?e#f%","_source":{"n":1}}`},
			{do: "GET /{i}/_doc/7", status: 200, want: `{"_source":{"n":2}}`},
			{do: "GET /{i}/_doc/%C3%A9%22%5C%0A", status: 200, want: `{"_source":{"n":3}}`},
			{do: "GET /{i}/_doc/{auto}", status: 200, want: `{"_source":{"n":4}}`},
		}},
		{"bulk: routing is kept", []step{
			{do: "POST /{i}/_bulk?refresh=true", body: `{"index":{"_id":"1","routing":"r"}}` + "\n{}\n", status: 200},
			{do: "POST /{i}/_search", body: `{}`, status: 200, want: `{"hits":{"hits":[{"_id":"1","_routing":"r"}]}}`},
			{do: "GET /{i}/_doc/1?routing=r", status: 200, want: `{"_routing":"r","_source":{}}`},
			{do: "POST /{i}/_bulk", body: `{"delete":{"_id":"1","routing":"r"}}` + "\n", status: 200, want: `{"errors":false}`},
		}},
		{"bulk: a missing pipeline fails what it would have handled", []step{
			{do: "PUT /{i}", status: 200},
			{do: "POST /{i}/_bulk?pipeline={i}-none", status: 200, body: `{"index":{"_id":"1"}}
{}
{"delete":{"_id":"2"}}
`, want: `{"errors":true,"items":[{"index":{"_index":"{i}","_id":"1","status":400,"error":{"type":"illegal_argument_exception","reason":"pipeline with id [{i}-none] does not exist"}}},{"delete":{"status":404,"result":"not_found"}}]}`},
			{do: "POST /{i}/_bulk", body: `{"index":{"_id":"1","pipeline":"{i}-none"}}` + "\n{}\n" + `{"index":{"_id":"1","pipeline":"_none"}}` + "\n{}\n", status: 200, want: `{"items":[{"index":{"status":400}},{"index":{"status":201}}]}`},
		}},
		{"bulk: absent and impossible indices", []step{
			{do: "POST /_bulk", status: 200, body: `{"delete":{"_index":"{i}","_id":"1"}}
{"index":{"_index":"{i}-Upper","_id":"1"}}
{}
{"index":{"_index":"{i}","_id":"1"}}
{}
`, want: `{"errors":true,"items":[{"delete":{"status":404,"result":"not_found"}},{"index":{"status":400,"error":{"type":"invalid_index_name_exception"}}},{"index":{"status":201}}]}`},
			{do: "HEAD /{i}", status: 200},
			{do: "POST /{j}/_bulk", body: `{"delete":{"_id":"1"}}` + "\n", status: 200, want: `{"errors":true,"items":[{"delete":{"status":404,"error":{"type":"index_not_found_exception","reason":"no such index [{j}]"}}}]}`},
			{do: "HEAD /{j}", status: 404},
			{do: "POST /{j}/_bulk?pipeline=none", body: "{\"index\":{\"_id\":\"1\"}}\n{}\n", status: 200, want: `{"items":[{"index":{"status":400}}]}`},
			{do: "HEAD /{j}", status: 404},
			{do: "POST /{j}/_bulk", body: "{\"index\":{\"_id\":\"1\"}}\n[]\n", status: 200, want: `{"items":[{"index":{"status":400}}]}`},
			{do: "HEAD /{j}", status: 200},
		}},
		{"bulk: one document several times in one request", []step{
			{do: "POST /{i}/_bulk?refresh=true", status: 200, body: "{\"index\":{\"_id\":\"1\"}}\n{\"a\":1}\n{\"delete\":{\"_id\":\"1\"}}\n{\"index\":{\"_id\":\"1\"}}\n{\"a\":2}\n", want: `{"items":[{"index":{"result":"created","status":201}},{"delete":{"result":"deleted"}},{"index":{"result":"created","status":201,"_seq_no":2}}]}`},
			{do: "GET /{i}/_count", status: 200, want: `{"count":1}`},
		}},
		{"bulk: refresh", []step{
			{do: "POST /{i}/_bulk?refresh=false", body: `{"index":{"_id":"1"}}` + "\n{}\n", status: 200, want: `{"items":[{"index":{"forced_refresh":"!"}}]}`},
			{do: "POST /{i}/_bulk?refresh=true", body: `{"index":{"_id":"2"}}` + "\n{}\n", status: 200, want: `{"items":[{"index":{"forced_refresh":true}}]}`},
			{do: "GET /{i}/_count", status: 200, want: `{"count":2}`},
			{do: "POST /{i}/_bulk?refresh=maybe", body: `{"index":{"_id":"2"}}` + "\n{}\n", status: 400, want: failure("illegal_argument_exception")},
		}},
	}, malformedBulkCases()...)
}

// malformedBulkCases are requests that are refused as a whole, or almost.
func malformedBulkCases() []testCase {
	refused := func(body, typ string) step {
		return step{do: "POST /{i}/_bulk", body: body, status: 400, want: failure(typ)}
	}
	const first = "{\"index\":{\"_id\":\"1\"}}\n{}\n"
	return []testCase{
		{"bulk refused as a whole", []step{
			{do: "PUT /{i}", status: 200},
			refused("", "parse_exception"),                                                             // no body
			refused("\n", "action_request_validation_exception"),                                       // empty line only
			refused(first+first[:len(first)-1], "illegal_argument_exception"),                          // no newline at the end
			refused(first+"{\"nope\":{\"_id\":\"2\"}}\n{}\n", "illegal_argument_exception"),            // unknown action
			refused(first+"junk\n{}\n", "x_content_parse_exception"),                                   // action is no JSON
			refused(first+"{\"index\":{\"_id\":\"2\"}} x\n{}\n", "x_content_parse_exception"),          // text after the action
			refused(first+"{\"index\":{\"_id\":\"2\",\"foo\":1}}\n{}\n", "illegal_argument_exception"), // unknown metadata
			refused(first+"{\"delete\":{}}\n", "action_request_validation_exception"),                  // delete without id
			{do: "GET /{i}/_doc/1", status: 404},
		}},
		{"bulk refused: no index", []step{
			{do: "POST /_bulk", body: first, status: 400, want: failure("action_request_validation_exception")},
		}},
		{"bulk: empty lines between and a last action without source", []step{
			{do: "POST /{i}/_bulk", body: "\n" + first + "\n\n" + `{"index":{"_id":"2"}}` + "\n", status: 200, want: `{"errors":false,"items":[{"index":{"_id":"1","status":201}}]}`},
			{do: "GET /{i}/_doc/2", status: 404},
		}},
	}
}

type badDocument struct{ source, typ string }

func documentsThatFail() []badDocument {
	const parsing = "document_parsing_exception"
	return []badDocument{
		{`{"a":`, parsing},
		{`[1]`, parsing},
		{`null`, parsing},
		{``, parsing},
		{`{"a":1} x`, parsing},
		{`{"a":1}}`, parsing},
		{`{"a":1}{"a":2}`, "illegal_argument_exception"},
		{"{\"a\":\"\xff\xfe\"}", parsing},
		{"{\"a\":\"tab\there\"}", parsing},
		{`{"a":"\x"}`, parsing},
		{`{"a":NaN}`, parsing},
		{`{"a":01}`, parsing},
		{`{"a":1,"a":2}`, parsing},
		{`{"x":{"a":1,"a":2}}`, parsing},
		{`{"a":1,"\u0061":2}`, parsing},
		{`{"_id":"x"}`, parsing},
		{`{"_source":{"x":1}}`, parsing},
		{`{"":1}`, parsing},
		{`{" ":1}`, parsing},
	}
}

func badDocuments() string {
	var b strings.Builder
	for _, d := range documentsThatFail() {
		b.WriteString(`{"index":{}}` + "\n" + d.source + "\n")
	}
	b.WriteString(`{"index":{"_id":"good"}}` + "\n" + `{"o":{"_id":1},"_timestamp":"2024-01-01","_allow":[]}` + "\n")
	return b.String()
}

func badAnswers() string {
	var items []string
	for _, d := range documentsThatFail() {
		items = append(items, fmt.Sprintf(`{"index":{"status":400,"error":{"type":%q,"reason":"*"}}}`, d.typ))
	}
	items = append(items, `{"index":{"status":201}}`)
	return `{"errors":true,"items":[` + strings.Join(items, ",") + `]}`
}
