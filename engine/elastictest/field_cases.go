package elastictest

import (
	"encoding/json"
	"fmt"
	"strings"
)

// fieldCases are about the fields that documents add to a mapping by themselves.
func fieldCases() []testCase {
	cases := []testCase{
		{"fields: the settings are kept and shown", []step{
			{do: "PUT /{i}", body: shapedWith(`"id":{"type":"keyword"}`, `,"index.mapping.exclude_source_vectors":false,"index.mapping.depth.limit":9`), status: 200},
			{do: "GET /{i}/_settings", status: 200, want: `{"{i}":{"settings":{"index":{"provided_name":"{i}","number_of_shards":"1","mapping":{"ignore_malformed":"true","exclude_source_vectors":"false","depth":{"limit":"9"},"total_fields":{"ignore_dynamic_beyond_limit":"true"}}}}}}`},
			{do: "GET /{i}/_mapping", status: 200, want: `{"{i}":{"mappings":{"date_detection":false,"dynamic_templates":[{"double":{"match_mapping_type":"double","mapping":{"type":"double"}}}],"properties":{"id":{"type":"keyword"}}}}}`},
			{do: "GET /{j}/_settings", status: 404, want: failure("index_not_found_exception")},
		}},
		{"fields: settings refused", []step{
			{do: "PUT /{i}", body: `{"settings":{"index.mapping.ignore_malformed":"maybe"}}`, status: 400, want: failure("illegal_argument_exception")},
			{do: "PUT /{i}", body: `{"settings":{"index.mapping.depth.limit":"x"}}`, status: 400, want: failure("illegal_argument_exception")},
			{do: "PUT /{i}", body: `{"settings":{"index.mapping.depth.limit":0}}`, status: 400, want: failure("illegal_argument_exception")},
			{do: "HEAD /{i}", status: 404},
		}},
		{"fields: each kind of value gives its type", kindSteps()},
		{"fields: templates for text and numbers", []step{
			{do: "PUT /{i}", body: `{"settings":{"index.mapping.ignore_malformed":true},"mappings":{"date_detection":false,"dynamic_templates":[
				{"number":{"match_mapping_type":"long","match":"n_*","unmatch":"*_x","mapping":{"type":"double"}}},
				{"path":{"path_match":"o.*","match_mapping_type":"string","mapping":{"type":"keyword"}}},
				{"data":{"match_mapping_type":"string","mapping":{"type":"text","fields":{"enum":{"type":"keyword","ignore_above":5},"stem":{"type":"text"}}}}}]}}`, status: 200},
			{do: "PUT /{i}/_doc/1?refresh=true", body: `{"s":"2024-01-15","o":{"p":"long enough","q":1},"n_a":1,"n_x":1,"f":0.5}`, status: 201},
			{do: "POST /{i}/_search", body: `{}`, status: 200, want: `{"hits":{"hits":[{"_ignored":["s.enum"]}]}}`},
			{do: "GET /{i}/_mapping", status: 200, want: `{"{i}":{"mappings":{"properties":{"s":{"type":"text","fields":{"enum":{"type":"keyword","ignore_above":5},"stem":{"type":"text"}}},
				"o":{"properties":{"p":{"type":"keyword","fields":"!"},"q":{"type":"long"}}},"n_a":{"type":"double"},"n_x":{"type":"long"},"f":{"type":"float"}}}}}`},
			{do: "PUT /{i}/_doc/2?refresh=true", body: `{"f":1e39}`, status: 201},
			{do: "POST /{i}/_search", body: `{"query":{"ids":{"values":["2"]}}}`, status: 200, want: `{"hits":{"hits":[{"_ignored":["f"]}]}}`},
		}},
		{"fields: long arrays of fractions stay numbers", vectorSteps()},
		{"fields: sub-fields are judged by their own type", []step{
			{do: "PUT /{i}", body: shaped(`"t":{"type":"text","fields":{"n":{"type":"long"},"k":{"type":"keyword","ignore_above":3}}},"k":{"type":"text","fields":{"all":{"type":"keyword"}}},"strict":{"type":"long","ignore_malformed":false}`), status: 200},
			{do: "PUT /{i}/_doc/1?refresh=true", body: `{"t":"abcd","o":{"t":"` + strings.Repeat("y", 257) + `"}}`, status: 201},
			{do: "POST /{i}/_search", body: `{"_source":false}`, status: 200, want: `{"hits":{"hits":[{"_ignored":["o.t.keyword","t.k","t.n"]}]}}`},
			{do: "GET /{i}/_doc/1", status: 200, want: `{"_ignored":"!"}`},
			{do: "PUT /{i}/_doc/2", body: `{"k":"` + strings.Repeat("x", 32_767) + `"}`, status: 400, want: failure("document_parsing_exception")},
			{do: "PUT /{i}/_doc/2", body: `{"strict":"x"}`, status: 400, raw: `failed to parse field [strict] of type [long] in document with id '2'. Preview of field's value: 'x'`},
		}},
		{"fields: without ignore_malformed a value refuses its document", strictSteps()},
		{"fields: a refused document leaves no field", []step{
			{do: "PUT /{i}", body: shaped(`"n":{"type":"long"}`), status: 200},
			{do: "POST /{i}/_bulk", status: 200, body: `{"index":{"_id":"1"}}
{"a":1,"n":{"x":1},"b":1}
{"index":{"_id":"1"}}
{"n":1,"c":1}
{"create":{"_id":"1"}}
{"d":1}
{"index":{"_id":"1","if_seq_no":7,"if_primary_term":1}}
{"e":1}
{"create":{"_id":"1"}}
{"c":{"x":1}}
`, want: `{"items":[{"index":{"status":400}},{"index":{"status":201}},{"create":{"status":409}},{"index":{"status":409}},{"create":{"status":400}}]}`},
			{do: "GET /{i}/_mapping", status: 200, want: `{"{i}":{"mappings":{"properties":{"n":{"type":"long"},"c":{"type":"long"},"d":{"type":"long"},"e":{"type":"long"},"a":"!","b":"!"}}}}`},
		}},
		{"fields: an update adds fields and is judged like a document", []step{
			{do: "PUT /{i}", body: shaped(`"n":{"type":"long"}`), status: 200},
			{do: "PUT /{i}/_doc/1", body: `{"n":1}`, status: 201},
			{do: "POST /{i}/_update/1?refresh=true", body: `{"doc":{"n":"x","z":"new"}}`, status: 200},
			{do: "POST /{i}/_search", body: `{}`, status: 200, want: `{"hits":{"hits":[{"_ignored":["n"],"_source":{"n":"x","z":"new"}}]}}`},
			{do: "POST /{i}/_update/1", body: `{"doc":{"n":{"x":1}}}`, status: 400, want: failure("document_parsing_exception")},
			{do: "GET /{i}/_mapping", status: 200, want: `{"{i}":{"mappings":{"properties":{"z":{"type":"text"}}}}}`},
		}},
		{"fields: added to a mapping, never changed", putMappingSteps()},
	}
	return append(append(append(cases, conflictCases()...), limitCases()...), ignoredCases()...)
}

func kindSteps() []step {
	text := `{"type":"text","fields":{"keyword":{"type":"keyword","ignore_above":256}}}`
	return []step{
		{do: "PUT /{i}", body: shaped(``), status: 200},
		{do: "PUT /{i}/_doc/1", body: `{"s":"x","d":"2024-01-15","empty":"","blank":" ","number":"12","i":1,"f":1.5,"e":1e2,"z":-0.0,"b":true,"o":{"a":1},"eo":{},"n":null,"l":[],"ln":[null],
			"ls":[null,"x"],"li":[1,2.5],"lf":[2.5,1],"lb":[false],"lo":[{"x":1},{"y":"x"},null],"ll":[[],[[1]]],"deep.er.x":true,"with.null":null,"with.list":[],"end.":1,"_u":1,"big":9223372036854775807}`, status: 201},
		{do: "GET /{i}/_mapping", status: 200, want: fmt.Sprintf(`{"{i}":{"mappings":{"properties":{"s":%[1]s,"d":%[1]s,"empty":%[1]s,"blank":%[1]s,"number":%[1]s,"i":{"type":"long"},"f":{"type":"double"},"e":{"type":"double"},
			"z":{"type":"double"},"b":{"type":"boolean"},"o":{"properties":{"a":{"type":"long"}},"type":"!"},"eo":{"type":"object"},"n":"!","l":"!","ln":"!","ls":%[1]s,"li":{"type":"long"},"lf":{"type":"double"},
			"lb":{"type":"boolean"},"lo":{"properties":{"x":{"type":"long"},"y":%[1]s}},"ll":{"type":"long"},"deep":{"properties":{"er":{"properties":{"x":{"type":"boolean"}}}}},"with":{"type":"object"},
			"end":{"type":"long"},"_u":{"type":"long"},"big":{"type":"long"}}}}}`, text)},
		{do: "PUT /{i}/_doc/2?refresh=true", body: `{"huge":` + nines() + `,"large":9223372036854775808,"more":1e400,"s":"` + strings.Repeat("x", 257) + `","d":["` + strings.Repeat("😀", 128) + `"],"i":"1.5","f":"x","b":"no","o":{"a":[1,"x"]},"lo":[{"x":"1"},{"x":{}}]}`, status: 400, want: failure("document_parsing_exception")},
		{do: "PUT /{i}/_doc/2?refresh=true", body: `{"huge":` + nines() + `,"large":9223372036854775808,"more":1e400,"s":"` + strings.Repeat("x", 257) + `","d":["` + strings.Repeat("😀", 128) + `"],"i":"1.5","f":"x","b":"no","o":{"a":[1,"x"]},"lo":[{"x":"1"},{"x":"y"}]}`, status: 201},
		{do: "POST /{i}/_search", body: `{"query":{"ids":{"values":["2"]}}}`, status: 200, want: `{"hits":{"hits":[{"_ignored":["b","f","huge","large","lo.x","more","o.a","s.keyword"]}]}}`},
		{do: "GET /{i}/_mapping", status: 200, want: `{"{i}":{"mappings":{"properties":{"huge":{"type":"long"},"large":{"type":"long"},"more":{"type":"double"}}}}}`},
	}
}

func vectorSteps() []step {
	vector := func(n int) string { return "[" + strings.Repeat("0.5,", n-1) + "0.5]" }
	steps := []step{{do: "PUT /{i}", body: shaped(``), status: 200}}
	for _, n := range []int{127, 128, 4096, 4097} {
		steps = append(steps,
			step{do: fmt.Sprintf("PUT /{i}/_doc/%d", n), body: fmt.Sprintf(`{"v%d":%s,"w":%s}`, n, vector(n), vector(n)), status: 201},
			step{do: fmt.Sprintf("GET /{i}/_doc/%d", n), status: 200, raw: fmt.Sprintf(`{"v%d":%s,"w":%s}`, n, vector(n), vector(n))},
			step{do: "GET /{i}/_mapping", status: 200, want: fmt.Sprintf(`{"{i}":{"mappings":{"properties":{"v%d":{"type":"double"},"w":{"type":"double"}}}}}`, n)},
		)
	}
	return steps
}

func strictSteps() []step {
	steps := []step{{do: "PUT /{i}", body: `{"mappings":{"date_detection":false,"properties":{"n":{"type":"long"},"f":{"type":"double"},"b":{"type":"boolean"},"d":{"type":"date"},"ip":{"type":"ip"},"i":{"type":"long","ignore_malformed":true}}}}`, status: 200}}
	for _, one := range []struct{ field, typ, value, reason string }{
		{"n", "long", `"abc"`, `For input string: "abc"`},
		{"n", "long", `"1e400"`, `Value [1e400] is out of range for a long`},
		{"f", "double", `"abc"`, `For input string: "abc"`},
		{"f", "double", `"NaN"`, `[double] supports only finite values, but got [NaN]`},
		{"b", "boolean", `"x"`, `Failed to parse value [x] as only [true] or [false] are allowed.`},
		{"d", "date", `"24:00:00"`, `failed to parse date field [24:00:00] with format [strict_date_optional_time||epoch_millis]`},
		{"ip", "ip", `"1.2.3.4/24"`, `'1.2.3.4/24' is not an IP string literal.`},
	} {
		var plain string
		if err := json.Unmarshal([]byte(one.value), &plain); err != nil {
			panic(err)
		}
		body := fmt.Sprintf(`{"x":1,%q:%s}`, one.field, one.value)
		steps = append(steps,
			step{do: "PUT /{i}/_doc/1", body: body, status: 400, want: fmt.Sprintf(`{"error":{"type":"document_parsing_exception","reason":%q,"caused_by":{"reason":%q}}}`,
				fmt.Sprintf("[1:%d] failed to parse field [%s] of type [%s] in document with id '1'. Preview of field's value: '%s'", strings.LastIndex(body, one.value)+1, one.field, one.typ, plain), one.reason)},
		)
	}
	return append(steps,
		step{do: "PUT /{i}/_doc/1?refresh=true", body: `{"i":"abc"}`, status: 201},
		step{do: "POST /{i}/_search", body: `{}`, status: 200, want: `{"hits":{"hits":[{"_ignored":["i"]}]}}`},
	)
}

func putMappingSteps() []step {
	refused := func(properties, reason string) step {
		return step{do: "PUT /{i}/_mapping", body: `{"properties":{` + properties + `}}`, status: 400, want: fmt.Sprintf(`{"error":{"type":"illegal_argument_exception","reason":%q}}`, reason)}
	}
	return []step{
		{do: "PUT /{i}", body: shaped(`"n":{"type":"long"}`), status: 200},
		{do: "PUT /{i}/_doc/1", body: `{"o":{"u":"x"}}`, status: 201},
		refused(`"n":{"type":"text"}`, "mapper [n] cannot be changed from type [long] to [text]"),
		refused(`"o":{"properties":{"u":{"type":"keyword"}}}`, "mapper [o.u] cannot be changed from type [text] to [keyword]"),
		refused(`"n":{"properties":{"x":{"type":"long"}}}`, "can't merge a non object mapping [n] with an object mapping"),
		refused(`"o":{"type":"long"}`, "can't merge a non object mapping [o] with an object mapping"),
		{do: "PUT /{i}/_mapping", body: `{"properties":{"new":{"type":"date"},"d.e":{"type":"long"},"d":{"properties":{"f":{"type":"double"}}},"n":{"type":"long"},"o":{"properties":{"v":{"type":"binary"}}}}}`, status: 200},
		{do: "GET /{i}/_mapping", status: 200, want: `{"{i}":{"mappings":{"properties":{"n":{"type":"long"},"new":{"type":"date"},"d":{"properties":{"e":{"type":"long"},"f":{"type":"double"}}},"d.e":"!","o":{"properties":{"u":{"type":"text"},"v":{"type":"binary"}}}}}}}`},
		{do: "PUT /{i}/_doc/2?refresh=true", body: `{"new":"x","d.e":"y","d.f":"z"}`, status: 201},
		{do: "POST /{i}/_search", body: `{"query":{"ids":{"values":["2"]}}}`, status: 200, want: `{"hits":{"hits":[{"_ignored":["d.e","d.f","new"]}]}}`},
	}
}

// conflictCases are what is refused although ignore_malformed is set.
func conflictCases() []testCase {
	refused := func(body, reason string) step {
		return step{do: "PUT /{i}/_doc/1", body: body, status: 400, want: fmt.Sprintf(`{"error":{"type":"document_parsing_exception","reason":%q}}`, reason)}
	}
	object := func(at int, field, typ, preview string) string {
		return fmt.Sprintf("[1:%d] failed to parse field [%s] of type [%s] in document with id '1'. Preview of field's value: '%s'", at, field, typ, preview)
	}
	scalar := func(at int, field, name string) string {
		return fmt.Sprintf("[1:%d] object mapping for [%s] tried to parse field [%s] as object, but found a concrete value", at, field, name)
	}
	start := step{do: "PUT /{i}", body: shaped(`"n":{"type":"long"},"t":{"type":"text"},"k":{"type":"keyword"},"o":{"properties":{"x":{"type":"long"},"p":{"properties":{"q":{"type":"long"}}}}},"off":{"type":"object","enabled":false},"closed":{"type":"object","dynamic":false}`), status: 200}
	return []testCase{
		{"conflict: an object where a scalar is", []step{
			start,
			refused(`{"n":{}}`, object(7, "n", "long", "{}")),
			refused(`{"n":{"a":1}}`, object(12, "n", "long", "{a=1}")),
			refused(`{"t":{"a":"x","b":[1,null,true,{"c":{}}]}}`, object(41, "t", "text", "{a=x, b=[1, null, true, {c={}}]}")),
			refused(`{"k":[1,{"a":1}]}`, object(15, "k", "keyword", "{a=1}")),
			refused(`{"n.a":1}`, object(8, "n", "long", "{a=1}")),
			refused(`{"o":{"x.y.z":[1]}}`, object(17, "o.x", "long", "{y={z=[1]}}")),
			refused(`{"new":1,"new.x":2}`, object(18, "new", "long", "{x=2}")),
			refused("{\"new\":[1,{}]}", object(12, "new", "long", "{}")),
			{do: "PUT /{i}/_doc/1", body: "{\"t\":\n  {\"x\":1}}", status: 400, raw: `[2:9] failed to parse field [t] of type [text]`},
			{do: "POST /{i}/_bulk", body: "{\"index\":{\"_id\":\"7\"}}\n{\"n\":{}}\n", status: 200, want: `{"items":[{"index":{"_id":"7","status":400,"error":{"type":"document_parsing_exception","reason":"[1:7] failed to parse field [n] of type [long] in document with id '7'. Preview of field's value: '{}'","caused_by":{"type":"illegal_argument_exception","reason":"Cannot parse object as number"}}}}]}`},
		}},
		{"conflict: a scalar where an object is", []step{
			start,
			refused(`{"o":1}`, scalar(6, "o", "o")),
			refused(`{"o":"x"}`, scalar(6, "o", "o")),
			refused(`{"o":[1]}`, scalar(7, "o", "null")),
			refused(`{"o":[{"x":1},[true]]}`, scalar(16, "o", "null")),
			refused(`{"o":{"p":1}}`, scalar(11, "o.p", "p")),
			refused(`{"o.p":1}`, scalar(8, "o.p", "p")),
			refused(`{"new":{},"z":{"new":[{},1]},"new.x":1}`, scalar(26, "z.new", "null")),
			refused(`{"new.x":1,"new":2}`, scalar(18, "new", "new")),
			refused(`{"closed":1}`, scalar(11, "closed", "closed")),
			{do: "PUT /{i}/_doc/1", body: `{"o":null,"o.p":null,"off":1,"off.x":1,"closed":{"x":{"":1}}}`, status: 201},
			{do: "PUT /{i}/_doc/1", body: `{"o":[null,[]],"off":[1,{"":1}],"closed":null}`, status: 200},
			{do: "GET /{i}/_mapping", status: 200, want: `{"{i}":{"mappings":{"properties":{"closed":{"type":"object","dynamic":"false","properties":"!"},"off":{"type":"object","enabled":false,"properties":"!"}}}}}`},
		}},
		{"conflict: names that are none", nameSteps()},
	}
}

func nameSteps() []step {
	steps := []step{{do: "PUT /{i}", body: shaped(`"closed":{"type":"object","dynamic":false}`), status: 200}}
	for _, one := range []struct{ body, reason string }{
		{`{"":1}`, "[1:2] failed to parse: field name cannot be an empty string"},
		{`{" ":1}`, "[1:2] Field name cannot contain only whitespace: [ ]"},
		{`{" ":null}`, "[1:2] Field name cannot contain only whitespace: [ ]"},
		{`{"` + "\u3000" + `":1}`, "[1:2] Field name cannot contain only whitespace: [\u3000]"},
		{`{"o":{" ":1}}`, "[1:7] Field name cannot contain only whitespace: [o. ]"},
		{`{".":1}`, "[1:2] failed to parse: field name cannot contain only dots"},
		{`{"..":[]}`, "[1:2] failed to parse: field name cannot contain only dots"},
		{`{".a":1}`, "[1:2] failed to parse: field name cannot contain only whitespace: ['.a']"},
		{`{"a..b":{}}`, "[1:2] failed to parse: field name cannot contain only whitespace: ['a..b']"},
		{`{"a. .b":1}`, "[1:2] failed to parse: field name starting or ending with a [.] makes object resolution ambiguous: [a. .b]"},
		{`{"a. ":1}`, "[1:2] failed to parse: field name starting or ending with a [.] makes object resolution ambiguous: [a. ]"},
		{`{"o":{"":1}}`, "[1:7] failed to parse: field name cannot be an empty string"},
		{`{"o":{".a":1}}`, "[1:7] failed to parse: field name cannot contain only whitespace: ['.a']"},
		{`{"closed":{"":1}}`, "[1:12] failed to parse: field name cannot be an empty string"},
		{`{"closed":{"a..b":1}}`, "[1:12] failed to parse: field name cannot contain only whitespace: ['a..b']"},
	} {
		steps = append(steps, step{do: "PUT /{i}/_doc/1", body: one.body, status: 400, want: fmt.Sprintf(`{"error":{"type":"document_parsing_exception","reason":%q}}`, one.reason)})
	}
	return append(steps,
		step{do: "PUT /{i}/_doc/1", body: `{"_id":1}`, status: 400, want: failure("document_parsing_exception")},
		step{do: "PUT /{i}/_doc/1", body: `{"_id.x":1}`, status: 400, want: failure("document_parsing_exception")},
		step{do: "PUT /{i}/_doc/1", body: `{"_ignored":1}`, status: 400, want: failure("document_parsing_exception")},
		step{do: "PUT /{i}/_doc/1", body: `{"a.":1,"b..":1," c":1,"d ":1,"` + "\u00a0" + `":1,"e*":1,"[f]":1,"o":{"_id":1},"p.q":1,"p":{"q.r":null,"s":2}}`, status: 400, want: failure("document_parsing_exception")},
		step{do: "PUT /{i}/_doc/1", body: `{"a.":1,"b..":1," c":1,"d ":1,"` + "\u00a0" + `":1,"e*":1,"[f]":1,"o":{"_id":1},"p.q":1,"p":{"q":3,"s":2}}`, status: 201},
		step{do: "GET /{i}/_mapping", status: 200, want: `{"{i}":{"mappings":{"properties":{"a":{"type":"long"},"b":{"type":"long"}," c":{"type":"long"},"d ":{"type":"long"},"` + "\u00a0" + `":{"type":"long"},"e*":{"type":"long"},"[f]":{"type":"long"},"o":{"properties":{"_id":{"type":"long"}}},"p":{"properties":{"q":{"type":"long"},"s":{"type":"long"}}}}}}}`},
	)
}

// limitCases are about how many fields an index has, and how deep.
func limitCases() []testCase {
	ignored := func(id, body, names string) []step {
		return []step{
			{do: "PUT /{i}/_doc/" + id + "?refresh=true", body: body, status: 201},
			{do: "POST /{i}/_search", body: `{"query":{"ids":{"values":["` + id + `"]}}}`, status: 200, want: `{"hits":{"hits":[{"_ignored":` + names + `}]}}`},
		}
	}
	many := []step{
		{do: "PUT /{i}", body: shapedWith(``, `,"index.mapping.total_fields.limit":5`), status: 200},
		{do: "PUT /{i}/_doc/0", body: `{"a":1,"b":"x","c":1,"d":2}`, status: 201},
	}
	for n, one := range []struct{ body, names string }{
		{`{"a":2,"b":"y"}`, `"!"`},
		{`{"e":1,"f":{"g":1,"h":2}}`, `["e","f"]`},
		{`{"o":{"p":{"q":1}},"r":[{"s":1}]}`, `["o","r"]`},
		{`{"n":null,"m":[],"k":[null],"y":{}}`, `["k","m","y"]`},
		{`{"v.w":1}`, `["v"]`},
		{`{"v":[1,{"w":"x"}],"e":"text"}`, `["e","v"]`},
		{`{"t":{"":1}}`, `["t"]`},
	} {
		many = append(many, ignored(fmt.Sprint(n+1), one.body, one.names)...)
	}
	many = append(many,
		step{do: "PUT /{i}/_doc/x", body: `{"":1}`, status: 400, want: failure("document_parsing_exception")},
		step{do: "PUT /{i}/_doc/x", body: `{"a.b":1}`, status: 400, want: failure("document_parsing_exception")},
		step{do: "GET /{i}/_mapping", status: 200, want: `{"{i}":{"mappings":{"properties":{"d":{"type":"long"},"e":"!","f":"!","o":"!","v":"!"}}}}`},
		step{do: "PUT /{i}/_mapping", body: `{"properties":{"g":{"type":"long"}}}`, status: 400, want: failure("illegal_argument_exception")},
	)
	almost := []step{
		{do: "PUT /{i}", body: shapedWith(`"t":{"type":"text","fields":{"keyword":{"type":"keyword"}}},"a":{"type":"long"},"b":{"type":"long"}`, `,"index.mapping.total_fields.limit":6`), status: 200},
	}
	almost = append(almost, ignored("1", `{"o":{"p":1,"q":1}}`, `["o.q"]`)...)
	almost = append(almost, ignored("2", `{"o":{"q":1,"r":{"s":1}}}`, `["o.q","o.r"]`)...)
	almost = append(almost, ignored("3", `{"o.t":3}`, `["o.t"]`)...)
	text := []step{{do: "PUT /{i}", body: shapedWith(`"a":{"type":"long"}`, `,"index.mapping.total_fields.limit":2`), status: 200}}
	text = append(text, ignored("1", `{"s":"x"}`, `["s"]`)...)
	text = append(text, ignored("2", `{"n":1}`, `"!"`)...)
	deep := func(at, depth int, path string) string {
		return fmt.Sprintf(`{"error":{"type":"document_parsing_exception","reason":"[1:%d] failed to parse: Limit of mapping depth [%d] has been exceeded due to object field [%s]"}}`, at, depth, path)
	}
	as := func(n int) string { return strings.TrimSuffix(strings.Repeat("a.", n), ".") }
	return []testCase{
		{"limit: fields beyond it stay in the document", many},
		{"limit: an object that still fits, and fields in it that do not", almost},
		{"limit: a text counts twice", text},
		{"limit: without ignore_dynamic_beyond_limit the document is refused", []step{
			{do: "PUT /{i}", body: `{"settings":{"index.mapping.total_fields.limit":1},"mappings":{"date_detection":false}}`, status: 200},
			{do: "PUT /{i}/_doc/1", body: `{"a":1}`, status: 201},
			{do: "PUT /{i}/_doc/2", body: `{"b":1}`, status: 400, want: `{"error":{"type":"document_parsing_exception","reason":"[1:6] failed to parse: Limit of total fields [1] has been exceeded while adding new fields [1]"}}`},
		}},
		{"limit: the mapping itself", []step{
			{do: "PUT /{i}", body: shapedWith(`"t":{"type":"text","fields":{"k":{"type":"keyword"}}}`, `,"index.mapping.total_fields.limit":1`), status: 400, want: `{"error":{"type":"illegal_argument_exception","reason":"Limit of total fields [1] has been exceeded"}}`},
			{do: "PUT /{i}", body: shapedWith(`"a":{"properties":{"b":{"properties":{"k":{"type":"keyword"}}}}}`, `,"index.mapping.depth.limit":2`), status: 400, want: `{"error":{"type":"illegal_argument_exception","reason":"Limit of mapping depth [2] has been exceeded due to object field [a.b]"}}`},
		}},
		{"limit: 20 levels", []step{
			{do: "PUT /{i}", body: shaped(``), status: 200},
			{do: "PUT /{i}/_doc/1", body: nested(21), status: 400, want: deep(101, 20, as(20))},
			{do: "PUT /{i}/_doc/1", body: `{"` + as(21) + `":1}`, status: 400, want: deep(2, 20, as(20))},
			{do: "PUT /{i}/_doc/1", body: nested(20), status: 201},
			{do: "PUT /{i}/_doc/1", body: `{"` + as(20) + `":1}`, status: 200},
		}},
		{"limit: levels as the index sets them", []step{
			{do: "PUT /{i}", body: shapedWith(``, `,"index.mapping.depth.limit":3`), status: 200},
			{do: "PUT /{i}/_doc/1", body: `{"b":{"a":{"a":{"c":null}}}}`, status: 400, want: deep(16, 3, "b.a.a")},
			{do: "PUT /{i}/_doc/1", body: `{"z":[{"y":[{"x":[{}]}]}]}`, status: 400, want: deep(19, 3, "z.y.x")},
			{do: "PUT /{i}/_doc/1", body: `{"z":[{"y":[{"x":[1]}]}]}`, status: 201},
		}},
	}
}

// ignoredCases are about what is reported of values that were not indexed.
func ignoredCases() []testCase {
	steps := []step{
		{do: "PUT /{i}", body: shaped(`"n":{"type":"long"},"d":{"type":"date"},"k":{"type":"keyword","ignore_above":3}`), status: 200},
		{do: "POST /{i}/_bulk?refresh=true", body: `{"index":{"_id":"a"}}
{"n":"x","d":"2024","k":"1234"}
{"index":{"_id":"b"}}
{"n":["y","z",3],"d":[5,"never"]}
{"index":{"_id":"c"}}
{"n":"7","k":"123"}
{"index":{"_id":"d"}}
{"n":"w"}
{"delete":{"_id":"d"}}
{"index":{"_id":"e"}}
{"n":"v"}
{"index":{"_id":"e"}}
{"n":9}
`, status: 200},
	}
	aggregate := func(body, want string) step {
		return step{do: "POST /{i}/_search?filter_path=aggregations", body: body, status: 200, want: `{"aggregations":` + want + `}`}
	}
	steps = append(steps,
		step{do: "POST /{i}/_search", body: `{"size":0,"aggs":{"n":{"terms":{"field":"_ignored","size":10}}}}`, status: 200, want: `{"hits":{"total":{"value":4},"hits":[]},"aggregations":{"n":{"doc_count_error_upper_bound":0,"sum_other_doc_count":0,"buckets":[{"key":"n","doc_count":2},{"key":"d","doc_count":1},{"key":"k","doc_count":1}]}}}`},
		aggregate(`{"size":0,"track_total_hits":false,"aggs":{"n":{"terms":{"field":"_ignored","size":1}}}}`, `{"n":{"sum_other_doc_count":2,"buckets":[{"key":"n","doc_count":2}]}}`),
		aggregate(`{"size":1,"aggregations":{"m":{"terms":{"field":"_ignored"}}},"query":{"ids":{"values":["a","c"]}}}`, `{"m":{"sum_other_doc_count":0,"buckets":[{"key":"k","doc_count":1},{"key":"n","doc_count":1}]}}`),
		step{do: "POST /{i}/_search", body: `{"aggs":{"n":{"terms":{"field":"_ignored","size":0}}}}`, status: 400, want: failure("x_content_parse_exception")},
		step{do: "POST /{i}/_search", body: `{"sort":["_doc"]}`, status: 200, want: `{"aggregations":"!","hits":{"hits":[{"_id":"a","_ignored":["k","n"]},{"_id":"b","_ignored":["d","n"]},{"_id":"c","_ignored":"!"},{"_id":"e","_ignored":"!"}]}}`},
	)
	for _, q := range [][]step{
		search(`{"exists":{"field":"_ignored"}}`, "a", "b"),
		search(`{"term":{"_ignored":"d"}}`, "b"),
		search(`{"exists":{"field":"n"}}`, "b", "c", "e"),
		search(`{"range":{"n":{"gte":7}}}`, "c", "e"),
		search(`{"term":{"n":3}}`, "b"),
		search(`{"term":{"absent":3}}`),
		search(`{"exists":{"field":"absent"}}`),
	} {
		steps = append(steps, q...)
	}
	return []testCase{{"ignored: reported with each hit, and counted by field", append(steps,
		step{do: "POST /{i}/_search?filter_path=hits.hits._id", body: `{"sort":["n"]}`, status: 200, want: `{"hits":{"hits":[{"_id":"b"},{"_id":"c"},{"_id":"e"},{"_id":"a"}]}}`},
		step{do: "POST /{i}/_search", body: `{"sort":["absent"]}`, status: 400, want: shardFailure("query_shard_exception")},
	)}}
}
