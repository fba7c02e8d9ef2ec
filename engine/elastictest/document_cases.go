package elastictest

func documentCases() []testCase {
	const conflict = `{"error":{"type":"version_conflict_engine_exception","index":"{i}"},"status":409}`
	return []testCase{
		{"document: put, get, delete", []step{
			{do: "PUT /{i}/_doc/1", body: `{"a":1}`, status: 201, want: `{"_index":"{i}","_id":"1","_version":1,"result":"created","_seq_no":0,"_primary_term":1,"_shards":{"total":2,"successful":1,"failed":0}}`},
			{do: "HEAD /{i}/_doc/1", status: 200},
			{do: "GET /{i}/_doc/1", status: 200, want: `{"_index":"{i}","_id":"1","_version":1,"_seq_no":0,"_primary_term":1,"found":true,"_source":{"a":1}}`},
			{do: "POST /{i}/_doc/1", body: `{"a":2}`, status: 200, want: `{"result":"updated","_version":2,"_seq_no":1}`},
			{do: "DELETE /{i}/_doc/1", status: 200, want: `{"result":"deleted","_version":3,"_seq_no":2}`},
			{do: "DELETE /{i}/_doc/1", status: 404, want: `{"result":"not_found","_seq_no":3,"_index":"{i}","_id":"1"}`},
			{do: "GET /{i}/_doc/1", status: 404, want: `{"_index":"{i}","_id":"1","found":false}`},
			{do: "HEAD /{i}/_doc/1", status: 404},
		}},
		{"document: create", []step{
			{do: "PUT /{i}/_create/1", body: `{"a":1}`, status: 201},
			{do: "PUT /{i}/_create/1", body: `{"a":1}`, status: 409, want: conflict},
			{do: "PUT /{i}/_doc/1?op_type=create", body: `{"a":1}`, status: 409, want: conflict},
			{do: "POST /{i}/_doc?refresh=true", body: `{"a":1}`, status: 201, want: `{"_id":"$auto","result":"created","forced_refresh":true}`},
			{do: "GET /{i}/_doc/{auto}", status: 200, want: `{"found":true}`},
		}},
		{"document: guarded writes", []step{
			{do: "PUT /{i}/_doc/1", body: `{"a":1}`, status: 201},
			{do: "PUT /{i}/_doc/1?if_seq_no=7&if_primary_term=1", body: `{"a":2}`, status: 409, want: conflict},
			{do: "PUT /{i}/_doc/2?if_seq_no=0&if_primary_term=1", body: `{"a":2}`, status: 409, want: conflict},
			{do: "PUT /{i}/_doc/1?if_seq_no=0", body: `{"a":2}`, status: 400, want: failure("action_request_validation_exception")},
			{do: "PUT /{i}/_doc/1?if_seq_no=0&if_primary_term=1", body: `{"a":2}`, status: 200, want: `{"_seq_no":1}`},
			{do: "DELETE /{i}/_doc/1?if_seq_no=0&if_primary_term=1", status: 409, want: conflict},
			{do: "DELETE /{i}/_doc/1?if_seq_no=1&if_primary_term=1&refresh=true", status: 200, want: `{"result":"deleted","forced_refresh":true}`},
			{do: "DELETE /{i}/_doc/1?if_seq_no=1&if_primary_term=1", status: 409, want: conflict},
		}},
		{"document: bad bodies", []step{
			{do: "PUT /{i}/_doc/1", body: `{"a":`, status: 400, want: failure("document_parsing_exception")},
			{do: "PUT /{i}/_doc/1", status: 400, want: failure("parse_exception")},
			{do: "PUT /{i}/_doc/1", body: `[]`, status: 400, want: failure("document_parsing_exception")},
		}},
		{"document: parts of the source", []step{
			{do: "PUT /{i}/_doc/1", body: `{"a":{"b":1,"c":2},"d":3}`, status: 201},
			{do: "GET /{i}/_doc/1?_source=false", status: 200, want: `{"found":true,"_source":"!"}`},
			{do: "GET /{i}/_doc/1?_source=a.b,d", status: 200, raw: `"_source":{"a":{"b":1},"d":3}`},
			{do: "GET /{i}/_doc/1?_source_includes=a", status: 200, raw: `"_source":{"a":{"b":1,"c":2}}`},
			{do: "GET /{i}/_doc/1?_source_excludes=a.b", status: 200, raw: `"_source":{"a":{"c":2},"d":3}`},
			{do: "GET /{i}/_doc/1?filter_path=_seq_no,_source.d", status: 200, raw: `{"_seq_no":0,"_source":{"d":3}}`},
		}},
		{"document: GET sees what is not refreshed, and ids with punctuation", []step{
			{do: "PUT /{i}/_doc/a%2Bb%2Fc%20d", body: `{"a":1}`, status: 201, want: `{"_id":"a+b/c d"}`},
			{do: "GET /{i}/_doc/a%2Bb%2Fc%20d", status: 200, want: `{"_id":"a+b/c d","found":true}`},
			{do: "GET /{i}/_doc/a+b%2Fc%20d", status: 200, want: `{"_id":"a+b/c d","found":true}`},
		}},
		{"update: merges, keeps what it does not name, and sees when nothing changes", []step{
			{do: "PUT /{i}/_doc/1?routing=r", body: `{"a":1,"o":{"p":1,"q":[1,2]},"z":"s"}`, status: 201},
			{do: "POST /{i}/_update/1?routing=r", body: `{"doc":{"o":{"p":2,"r":null},"n":[3]}}`, status: 200, want: `{"_index":"{i}","_id":"1","result":"updated","_version":2,"_seq_no":1,"_primary_term":1}`},
			{do: "GET /{i}/_doc/1?routing=r", status: 200, raw: `"_source":{"a":1,"o":{"p":2,"q":[1,2],"r":null},"z":"s","n":[3]}`},
			{do: "POST /{i}/_update/1?routing=r", body: `{"doc":{"o":{"p":2},"z":"s"}}`, status: 200, want: `{"result":"noop","_version":2,"_seq_no":1,"_shards":{"total":0}}`},
			{do: "POST /{i}/_update/1?routing=r", body: `{"doc":{"z":"s"},"detect_noop":false}`, status: 200, want: `{"result":"updated","_seq_no":2}`},
			{do: "POST /{i}/_update/1?routing=r", body: `{"doc":{"o":{"q":[]}}}`, status: 200, want: `{"result":"updated","_seq_no":3}`},
			{do: "POST /{i}/_update/1?routing=r&refresh=true", body: `{"doc":{"a":4}}`, status: 200, want: `{"forced_refresh":true}`},
			{do: "POST /{i}/_search", body: `{}`, status: 200, want: `{"hits":{"hits":[{"_routing":"r","_source":{"a":4,"o":{"q":[]}}}]}}`},
			{do: "POST /{i}/_update/1?routing=r", body: `{"doc":{}}`, status: 200, want: `{"result":"noop"}`},
		}},
		{"update: guarded", []step{
			{do: "PUT /{i}/_doc/1", body: `{"a":1}`, status: 201},
			{do: "POST /{i}/_update/1?if_seq_no=5&if_primary_term=1", body: `{"doc":{"a":2}}`, status: 409, want: conflict},
			{do: "POST /{i}/_update/1?if_seq_no=0&if_primary_term=1", body: `{"doc":{"a":2}}`, status: 200, want: `{"_seq_no":1}`},
			{do: "POST /{i}/_update/none?if_seq_no=0&if_primary_term=1", body: `{"doc":{"a":2}}`, status: 404, want: failure("document_missing_exception")},
			{do: "POST /{i}/_update/none", body: `{"doc":{"a":2}}`, status: 404, want: failure("document_missing_exception")},
		}},
		{"update: bad bodies", []step{
			{do: "PUT /{i}/_doc/1", body: `{"a":1}`, status: 201},
			{do: "POST /{i}/_update/1", body: `{"foo":{"a":2}}`, status: 400, want: failure("x_content_parse_exception")},
			{do: "POST /{i}/_update/1", body: `{"doc":5}`, status: 400, want: failure("x_content_parse_exception")},
			{do: "POST /{i}/_update/1", body: `{}`, status: 400, want: failure("action_request_validation_exception")},
			{do: "POST /{i}/_update/1", status: 400, want: failure("action_request_validation_exception")},
			{do: "POST /{j}/_update/1", body: `{"doc":{"a":2}}`, status: 404, want: failure("document_missing_exception")},
			{do: "HEAD /{j}", status: 200},
		}},
	}
}
