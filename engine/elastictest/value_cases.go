package elastictest

import (
	"encoding/json"
	"fmt"
	"strings"
)

// shaped is the body that creates an index in which no value refuses its document, with properties.
func shaped(properties string) string { return shapedWith(properties, "") }

// shapedWith is the same with more settings, each with a comma before it.
func shapedWith(properties, settings string) string {
	return `{"settings":{"index.mapping.ignore_malformed":true,"index.mapping.total_fields.ignore_dynamic_beyond_limit":true` + settings + `},
		"mappings":{"date_detection":false,"dynamic_templates":[{"double":{"match_mapping_type":"double","mapping":{"type":"double"}}}],"properties":{` + properties + `}}}`
}

// fieldValues says what becomes of values in one field of an index of this shape.
type fieldValues struct {
	name    string
	mapping string   // of the field f
	takes   []string // indexed
	ignores []string // kept in the document alone, with the field's name in _ignored
	refuses []string // refused with the document
}

// steps writes one document for each value and reads them all back.
func (v fieldValues) steps() []step {
	var body strings.Builder
	var items, hits []string
	add := func(value string, ignored bool) {
		fmt.Fprintf(&body, "{\"index\":{}}\n{\"f\":%s}\n", value)
		items = append(items, `{"index":{"status":201}}`)
		if ignored {
			hits = append(hits, fmt.Sprintf(`{"_ignored":["f"],"_source":{"f":%s}}`, value))
		} else {
			hits = append(hits, fmt.Sprintf(`{"_ignored":"!","_source":{"f":%s}}`, value))
		}
	}
	for _, value := range v.takes {
		add(value, false)
	}
	for _, value := range v.ignores {
		add(value, true)
	}
	for _, value := range v.refuses {
		fmt.Fprintf(&body, "{\"index\":{}}\n{\"f\":%s}\n", value)
		items = append(items, `{"index":{"status":400,"error":{"type":"document_parsing_exception","reason":"*"}}}`)
	}
	buckets := `[]`
	if n := len(v.ignores); n > 0 {
		buckets = fmt.Sprintf(`[{"key":"f","doc_count":%d}]`, n)
	}
	return []step{
		{do: "PUT /{i}", body: shaped(`"f":` + v.mapping), status: 200},
		{do: "POST /{i}/_bulk?refresh=true", body: body.String(), status: 200, want: `{"items":[` + strings.Join(items, ",") + `]}`},
		{do: "POST /{i}/_search", body: `{"size":1000,"sort":["_doc"]}`, status: 200, want: `{"hits":{"hits":[` + strings.Join(hits, ",") + `]}}`},
		{do: "POST /{i}/_search?filter_path=aggregations", body: `{"size":0,"aggs":{"n":{"terms":{"field":"_ignored","size":10}}}}`, status: 200, want: `{"aggregations":{"n":{"buckets":` + buckets + `}}}`},
		{do: "GET /{i}/_mapping", status: 200, want: `{"{i}":{"mappings":{"properties":{"f":` + v.mapping + `}}}}`},
	}
}

func valueCases() []testCase {
	var cases []testCase
	for _, v := range []fieldValues{longValues(), doubleValues(), booleanValues(), dateValues(), ipValues()} {
		cases = append(cases, testCase{"value: " + v.name, v.steps()})
	}
	for _, v := range textValues() {
		cases = append(cases, testCase{"value: " + v.name, v.steps()})
	}
	return append(cases, binaryCase())
}

// texts are JSON strings of plain texts.
func texts(plain ...string) []string {
	out := make([]string, len(plain))
	for i, p := range plain {
		out[i] = string(must(json.Marshal(p)))
	}
	return out
}

func must(b []byte, err error) []byte {
	if err != nil {
		panic(err)
	}
	return b
}

func nines() string { return strings.Repeat("9", 400) }

func longValues() fieldValues {
	return fieldValues{
		name: "long", mapping: `{"type":"long"}`,
		takes: append(
			texts("", "1", "1.0", "1.5", "12.50", "-1", "+1", "1e2", "1E+2", ".5", "5.", "-.5", "0", "9223372036854775807", "9223372036854775807.5",
				"-9223372036854775808.9", "1e18", "1e-400", "9.223372036854775807e18", "00000000000000000000000000001", "٣.٥"),
			`null`, `1`, `-1`, `1.5`, `-0.0`, `1e2`, `1e-400`, `0e400`, `9223372036854775807`, `-9223372036854775808`, `9223372036854775807.5`, `1e18`, `[]`, `[[1,[2]]]`, `[null]`,
		),
		ignores: append(
			texts(" ", "  1", "1 ", "1e400", "NaN", "Infinity", "inf", "0x10", "0x1p3", "1_000", "1,5", "1f", "9223372036854775808", "9.223372036854775808e18", "18446744073709551615",
				"1e19", "0e999999999", nines(), nines()+".5", "true", "abc", "2024-01-15", "\x00", ".", "-", "--1", "1e", ".e1"),
			`1e400`, `1e308`, nines(), nines()+`.5`, `9223372036854775808`, `-9223372036854775809`, `18446744073709551616`, `1e19`, `true`, `false`, `[1,"x",null]`,
		),
		refuses: []string{`{}`, `{"a":1}`, `[{"a":1}]`, `[1,{"a":1}]`},
	}
}

func doubleValues() fieldValues {
	return fieldValues{
		name: "double", mapping: `{"type":"double"}`,
		takes: append(
			texts("", "  1", "1 ", "\t1.5\n", "1", "12.50", "+1", "1e2", "1e-400", "0x1p3", "0x.8p1", "0x1p3f", ".5", "5.", "1f", "1.5D", "1e19", "18446744073709551616", "1.7976931348623158e308"),
			`null`, `1`, `1.5`, `-0.0`, `1e308`, `3.5e38`, `1e-400`, `18446744073709551616`, `[]`, `[[1,[2]]]`, `[1.5,2]`,
		),
		ignores: append(
			texts(" ", "1e400", "1.7976931348623159e308", "NaN", "Infinity", "-Infinity", "inf", "0x10", "1_000", "0x_1p3", "1,5", "1L", "1.5ff", "f", "٣", nines(), "true", "abc", "2024-01-15", "\u00a01"),
			`1e400`, `-1e400`, nines(), `true`, `[1,"x"]`,
		),
		refuses: []string{`{}`, `{"a":1}`, `[1,{"a":1}]`},
	}
}

func booleanValues() fieldValues {
	return fieldValues{
		name: "boolean", mapping: `{"type":"boolean"}`,
		takes:   append(texts("", "true", "false"), `null`, `true`, `false`, `[]`, `[true,["false"]]`),
		ignores: append(texts(" ", "True", "TRUE", "yes", "no", "on", "off", "t", "0", "1", "abc"), `1`, `0`, `1.5`, `[true,1]`),
		refuses: []string{`{}`, `{"a":true}`, `[{"a":true}]`},
	}
}

func dateValues() fieldValues {
	return fieldValues{
		name: "date", mapping: `{"type":"date"}`,
		takes: append(
			texts("2024", "2024-01", "2024-01-15", "2024-02-29", "2024-01-15T", "2024-01-15T10", "2024-01-15T10:11", "2024-01-15T10:11:12", "2024-01-15T10:11:12.1",
				"2024-01-15T10:11:12,123456789Z", "2024-01-15T10Z", "2024-01-15T10:11Z", "2024-01-15T10:11:12+01", "2024-01-15T10:11:12+01:00", "2024-01-15T10:11:12+0100",
				"2024-01-15T10:11:12+01:00:30", "2024-01-15T10:11:12+010030", "2024-01-15T10:11:12-00:00", "2024-01-15T10:11:12+18:00", "2024-01-15T10:11:12UTC", "2024-01-15T10:11:12.5UTC",
				"0000", "0000-01-01", "-0000-01-01", "-0044", "-0044-03-15", "-9999-12-31", "9999-12-31T23:59:59.999Z", "1677-01-01", "20240115", "-44", "-044", "44", "12345", "00000",
				"1234567890123", "-1234567890123", "9223372036854775807", "9223372036854775807.5", "1.5", "-5.5", "5.", "1700000000000.123456", "-0"),
			`null`, `0`, `-1`, `1.5`, `2024`, `1700000000000`, `9223372036854775807`, `-9223372036854775808`, `[]`, `["2024",1]`,
		),
		ignores: append(
			texts("", " ", "abc", "now", "infinity", "true", "24:00:00", "10:11:12", "2024-01-15T24:00:00", "2024-01-15T23:59:60", "2024-01-15T10:60:00", "2024-01-15 10:11:12", "2024-01-15t10:11:12",
				"2024-01-15T10:11:12z", "2024-01-15T10:11:12 +01:00", "2024-01-15T10:11:12+19:00", "2024-01-15T10:11:12+18:01", "2024-01-15T10:11:12+1", "2024-01-15T10:11:12+1:00",
				"2024-01-15T10:11:12+01:0030", "2024-01-15T10:11:12+01:60", "2024-01-15T10:11:12+", "2024-01-15T10:11:12.", "2024-01-15T10:11:12.1234567891", "2024-01-15T10:11,5", "2024-01-15T10:11:12ZZ",
				"2024-01-15Z", "2024Z", "2024T10", "2024-01T10", "2024-1-15", "2024-13-01", "2024-00-01", "2024-01-00", "2024-02-30", "2023-02-29", "1900-02-29", "2024/01/15", "15.01.2024", "2024-W03", "2024-015",
				"294276-01-01", "+294276-01-01", "10000-01-01", "+10000-01-01", "+2024", "-12345678-01-01", "  2024-01-15", "2024-01-15 ", "9223372036854775808", "-9223372036854775808", "00000000000000000000001",
				"1700000000000.1234567", ".5", "-.5", "+1", "-", "1-", "1e3", "٢٠٢٤-٠١-١٥"),
			`1e2`, `1e12`, `1e400`, `9223372036854775808`, `true`, `{}`, `{"a":1}`, `["2024","x"]`, `[{"a":1}]`,
		),
	}
}

func ipValues() fieldValues {
	return fieldValues{
		name: "ip", mapping: `{"type":"ip"}`,
		takes: append(
			texts("1.2.3.4", "0.0.0.0", "255.255.255.255", "::1", "::", "1::", "2001:DB8::1", "::ffff:1.2.3.4", "::1.2.3.4", "1:2:3:4:5:6:7:8", "1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:7::", "::2:3:4:5:6:7:8",
				"0001::", "00001::", "fe80::1%eth0", "1.2.3.4%eth0", "1.2.3.4%a/b"),
			`null`, `[]`, `["::1",["1.2.3.4"]]`,
		),
		ignores: append(
			texts("", " ", "1.2.3", "1.2.3.4/24", "2001:db8::/32", "::1/128", "1.2.3.256", "01.2.3.4", "1.2.3.04", " 1.2.3.4", "1.2.3.4 ", "1.2.3.4.5", "1..3.4", "1.2.3.4.", "1.2.3.4%", "::1%", "%eth0",
				"[::1]", "1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7:8::", "1::2::3", ":::", ":1", "1:", "12345::", "::g", "::1.2.3", "::01.2.3.4", "abc"),
			`1`, `1.5`, `true`, `["::1","x"]`,
		),
		refuses: []string{`{}`, `{"a":1}`, `[{"a":1}]`},
	}
}

// textValues are the types that take any scalar. What a keyword cannot hold is not ignored but refused.
func textValues() []fieldValues {
	x := func(n int) string { return `"` + strings.Repeat("x", n) + `"` }
	scalars := []string{`null`, `1`, `1.50`, `1e400`, nines(), `true`, `""`, `" "`, `"\u0000"`, `[]`, `["a",[1,true]]`}
	objects := []string{`{}`, `{"a":1}`, `["a",{"a":1}]`}
	return []fieldValues{
		{name: "text", mapping: `{"type":"text"}`, takes: append([]string{x(32_767)}, scalars...), refuses: objects},
		{
			name: "keyword", mapping: `{"type":"keyword"}`, takes: append([]string{x(32_766), `"` + strings.Repeat("é", 16_383) + `"`}, scalars...),
			refuses: append([]string{x(32_767), `"` + strings.Repeat("é", 16_384) + `"`, `["a",` + x(32_767) + `]`}, objects...),
		},
		{
			name: "keyword with ignore_above", mapping: `{"type":"keyword","ignore_above":10}`,
			takes:   []string{x(10), `"éééééééééé"`, `"😀😀😀😀😀"`, `1234567890`, `["a","b"]`},
			ignores: []string{x(11), `"ééééééééééé"`, `"😀😀😀😀😀😀"`, `12345678901`, `["a",` + x(11) + `]`, x(40_000)},
			refuses: objects,
		},
		{
			name: "keyword with an ignore_above beyond what a keyword holds", mapping: `{"type":"keyword","ignore_above":40000}`,
			takes: []string{x(32_766)}, ignores: []string{x(40_001)}, refuses: []string{x(32_767)},
		},
		{
			name: "flattened", mapping: `{"type":"flattened"}`,
			takes: []string{
				`null`, `{}`, `{"a":1}`, `{"a":null}`, `{"a":{"b":[1,"x",{"c":true}]}}`, `{"":1," ":2,"a..b":3}`, `[{"a":1},{"a":"x"}]`, `[[{"a":1}]]`, `[]`, `[null]`,
				`{"a":` + x(32_764) + `}`, nested(20),
			},
			refuses: []string{`1`, `"x"`, `true`, `["x"]`, `[{"a":1},1]`, `{"a":` + x(32_765) + `}`, `{"a\u0000b":1}`, nested(21)},
		},
		{name: "object that is not looked into", mapping: `{"type":"object","enabled":false}`, takes: []string{`1`, `"x"`, `{"a":1}`, `[{"":1},2]`, `{"":1}`, `{"a..b":1}`, nested(30)}},
	}
}

// nested is a number in n objects.
func nested(n int) string { return strings.Repeat(`{"a":`, n) + `1` + strings.Repeat(`}`, n) }

// binaryCase has its own steps, as an object in a binary is refused in other words.
func binaryCase() testCase {
	v := fieldValues{
		name: "binary", mapping: `{"type":"binary"}`,
		takes: append(texts("", "YQ==", "YQ", "Y", "!!!", "a-_b", "YQ==YQ==", "aGVs\nbG8="), `null`, `1`, `true`, `[]`, `["YQ==",1]`),
	}
	return testCase{"value: binary", append(v.steps(),
		step{do: "PUT /{i}/_doc/1", body: `{"f":{}}`, status: 400, want: failure("illegal_argument_exception")},
		step{do: "PUT /{i}/_doc/1", body: `{"f":{"a":1}}`, status: 400, want: failure("illegal_argument_exception")},
	)}
}
