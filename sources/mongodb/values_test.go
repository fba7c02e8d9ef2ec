package mongodb

import (
	"bytes"
	"flag"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/elastic-ingest/elastic-ingest/engine/document"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// raw makes the bytes of a document.
func raw(t testing.TB, d bson.D) bson.Raw {
	t.Helper()
	b, err := bson.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// forms are the ways to write values without any option.
func forms(t testing.TB, dates, uuid, encoding string) valueForms {
	t.Helper()
	f, err := newValueForms(dates, uuid, encoding)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// body is the JSON of a document.
func body(doc *document.Document) string { return string(document.AppendFields(nil, doc)) + "}" }

func uuidBinary(subtype byte) bson.Binary {
	return bson.Binary{Subtype: subtype, Data: []byte{0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x99, 0xAA, 0xBB, 0xCC, 0xDD, 0xEE, 0xFF}}
}

func decimal(t testing.TB, text string) bson.Decimal128 {
	t.Helper()
	d, err := bson.ParseDecimal128(text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// everyType are documents with a value of each type of BSON.
func everyType(t testing.TB) []bson.D {
	oid, _ := bson.ObjectIDFromHex("65f0a1b2c3d4e5f601234567")
	date := func(ms int64) bson.DateTime { return bson.DateTime(ms) }
	return []bson.D{
		{{Key: "double", Value: 1.5}, {Key: "whole double", Value: 3.0}, {Key: "large", Value: 1e22}, {Key: "tiny", Value: 5e-324}, {Key: "minus zero", Value: math.Copysign(0, -1)}},
		{{Key: "NaN", Value: math.NaN()}, {Key: "Inf", Value: math.Inf(1)}, {Key: "in", Value: bson.D{{Key: "a", Value: bson.A{math.Inf(-1)}}}}},
		{{Key: "string", Value: "größe \"x\"\n\u0000"}, {Key: "empty", Value: ""}, {Key: "symbol", Value: bson.Symbol("sym")}},
		{{Key: "object", Value: bson.D{{Key: "b", Value: int32(1)}, {Key: "a", Value: bson.D{}}}}, {Key: "array", Value: bson.A{int32(1), "x", bson.A{}, bson.A{bson.A{int32(2)}}, nil}}},
		{{Key: "binary", Value: bson.Binary{Data: []byte{0, 1, 0xFF}}}, {Key: "function", Value: bson.Binary{Subtype: 1, Data: []byte("f")}}, {Key: "old", Value: bson.Binary{Subtype: 2, Data: []byte("old")}}, {Key: "md5", Value: bson.Binary{Subtype: 5, Data: []byte("m")}}, {Key: "own", Value: bson.Binary{Subtype: 0x80, Data: []byte("own")}}, {Key: "none", Value: bson.Binary{}}},
		{{Key: "uuid", Value: uuidBinary(4)}, {Key: "old uuid", Value: uuidBinary(3)}, {Key: "short uuid", Value: bson.Binary{Subtype: 4, Data: []byte{1}}}},
		{{Key: "encrypted", Value: bson.Binary{Subtype: 6, Data: []byte("secret")}}, {Key: "sensitive", Value: bson.A{bson.Binary{Subtype: 8, Data: []byte("secret")}, int32(1)}}, {Key: "column", Value: bson.Binary{Subtype: 7, Data: []byte("c")}}},
		{
			{Key: "int8 vector", Value: bson.Binary{Subtype: 9, Data: []byte{3, 0, 1, 0xFF}}},
			{Key: "float vector", Value: bson.Binary{Subtype: 9, Data: []byte{0x27, 0, 0, 0, 0xC0, 0x3F, 0xCD, 0xCC, 0xCC, 0x3D}}},
			{Key: "bit vector", Value: bson.Binary{Subtype: 9, Data: []byte{0x10, 4, 0xA5, 0xF0}}},
			{Key: "odd vector", Value: bson.Binary{Subtype: 9, Data: []byte{1}}},
		},
		{{Key: "undefined", Value: bson.Undefined{}}, {Key: "null", Value: nil}, {Key: "true", Value: true}, {Key: "false", Value: false}, {Key: "oid", Value: oid}},
		{{Key: "date", Value: date(1577881800123)}, {Key: "before 1970", Value: date(-1)}, {Key: "whole second", Value: date(0)}},
		{{Key: "too early", Value: date(-62135596800001)}, {Key: "too late", Value: date(1 << 62)}, {Key: "list", Value: bson.A{date(math.MinInt64)}}},
		{{Key: "first", Value: date(-62135596800000)}, {Key: "last", Value: date(253402300799999)}},
		{{Key: "regex", Value: bson.Regex{Pattern: "^x/", Options: "im"}}, {Key: "pointer", Value: bson.DBPointer{DB: "c", Pointer: oid}}, {Key: "dbref", Value: bson.D{{Key: "$ref", Value: "c"}, {Key: "$id", Value: oid}, {Key: "$db", Value: "d"}, {Key: "x", Value: int32(1)}}}},
		{{Key: "code", Value: bson.JavaScript("f()")}, {Key: "with scope", Value: bson.CodeWithScope{Code: "g()", Scope: bson.D{{Key: "a", Value: int32(1)}}}}},
		{{Key: "int32", Value: int32(math.MinInt32)}, {Key: "int64", Value: int64(math.MaxInt64)}, {Key: "timestamp", Value: bson.Timestamp{T: 3, I: 5}}},
		{{Key: "decimal", Value: decimal(t, "12.50")}, {Key: "small", Value: decimal(t, "0.0005")}, {Key: "beyond a float", Value: decimal(t, "1E+400")}, {Key: "34 digits", Value: decimal(t, "1234567890123456789012345678901234")}, {Key: "NaN", Value: decimal(t, "NaN")}, {Key: "Inf", Value: decimal(t, "-Infinity")}},
		{{Key: "min", Value: bson.MinKey{}}, {Key: "max", Value: bson.MaxKey{}}},
	}
}

// TestEveryType is what becomes of each type of BSON, without options and with each that matters.
func TestEveryType(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	for _, way := range []struct{ name, dates, uuid, encoding string }{
		{"unchanged", "", "", ""},
		{"encoding compat, javaLegacy, DATETIME_AUTO", datesAuto, "javaLegacy", "compat"},
		{"csharpLegacy, DATETIME_MS", datesMillis, "csharpLegacy", ""},
		{"pythonLegacy", datesClamp, "pythonLegacy", ""},
	} {
		fmt.Fprintf(&out, "# %s\n", way.name)
		c := &converter{forms: forms(t, way.dates, way.uuid, way.encoding)}
		for i, d := range everyType(t) {
			doc, err := c.document(raw(t, append(bson.D{{Key: "_id", Value: int32(i)}}, d...)))
			if err != nil {
				t.Fatalf("%v: %v", d, err)
			}
			out.WriteString(body(&doc) + "\n")
		}
	}
	golden := filepath.Join("testdata", "values.golden")
	if *update {
		if err := os.WriteFile(golden, []byte(out.String()), 0o644); err != nil { //nolint:gosec // a test's expectation
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), out.String()); d != "" {
		t.Errorf("-update rewrites it:\n%s", d)
	}
}

// TestIDs has an id of every type.
func TestIDs(t *testing.T) {
	t.Parallel()
	oid, _ := bson.ObjectIDFromHex("65f0a1b2c3d4e5f601234567")
	for name, tt := range map[string]struct {
		id   any
		want string
	}{
		"ObjectId":      {oid, "65f0a1b2c3d4e5f601234567"},
		"zero":          {int32(0), "0"},
		"long":          {int64(-9007199254740993), "-9007199254740993"},
		"false":         {false, "False"},
		"true":          {true, "True"},
		"double":        {1.0, "1.0"},
		"large double":  {1e16, "1e+16"},
		"decimal":       {decimal(t, "1.50"), "1.50"},
		"text":          {"a b", "a b"},
		"empty text":    {"", ""},
		"null":          {nil, "None"},
		"date":          {bson.DateTime(1577881800123), "2020-01-01T12:30:00.123000"},
		"whole date":    {bson.DateTime(0), "1970-01-01T00:00:00"},
		"UUID":          {uuidBinary(4), "00112233-4455-6677-8899-aabbccddeeff"},
		"binary":        {bson.Binary{Data: []byte{1, 2}}, "AQI="},
		"object":        {bson.D{{Key: "a", Value: int32(1)}, {Key: "b", Value: "x"}}, "{'a': 1, 'b': 'x'}"},
		"empty object":  {bson.D{}, "{}"},
		"nested object": {bson.D{{Key: "a", Value: bson.D{{Key: "b", Value: bson.A{nil, true, 1.5, oid}}}}}, "{'a': {'b': [None, True, 1.5, '65f0a1b2c3d4e5f601234567']}}"},
		"odd text":      {bson.D{{Key: "it's", Value: "a\"b'\\\n\x01é\u200b"}}, `{"it's": 'a"b\'\\\n\x01é\u200b'}`},
		"timestamp":     {bson.Timestamp{T: 3, I: 5}, "Timestamp(3, 5)"},
		"MinKey":        {bson.MinKey{}, "$minKey"},
		"MaxKey":        {bson.MaxKey{}, "$maxKey"},
		"600 bytes":     {strings.Repeat("x", 600), strings.Repeat("x", 600)}, // which the engine shortens
	} {
		c := &converter{}
		doc, err := c.document(raw(t, bson.D{{Key: "_id", Value: tt.id}, {Key: "a", Value: int32(1)}}))
		if err != nil || doc.ID != tt.want {
			t.Errorf("%s: got %q, %v, want %q", name, doc.ID, err, tt.want)
		}
		if len(doc.Fields) != 1 {
			t.Errorf("%s: _id is among the fields: %s", name, body(&doc))
		}
	}
}

// TestDocumentsWithoutID checks that their ids are the same in every run, and differ between documents.
func TestDocumentsWithoutID(t *testing.T) {
	t.Parallel()
	c := &converter{}
	ids := map[string]bool{}
	for _, d := range []bson.D{{{Key: "a", Value: int32(1)}}, {{Key: "a", Value: int64(1)}}, {{Key: "a", Value: int32(1)}, {Key: "b", Value: nil}}, {}} {
		first, err := c.document(raw(t, d))
		if err != nil {
			t.Fatal(err)
		}
		second, _ := (&converter{}).document(raw(t, d))
		if len(first.ID) != 32 || first.ID != second.ID || ids[first.ID] {
			t.Errorf("%v: %q, %q", d, first.ID, second.ID)
		}
		ids[first.ID] = true
	}
	if c.withoutID != 4 {
		t.Errorf("%d documents without _id were counted", c.withoutID)
	}
}

// TestFieldNames checks how names that Elasticsearch refuses are changed.
func TestFieldNames(t *testing.T) {
	t.Parallel()
	one := func(names ...string) (d bson.D) {
		for i, n := range names {
			d = append(d, bson.E{Key: n, Value: int32(i)})
		}
		return d
	}
	for name, tt := range map[string]struct {
		doc  bson.D
		want string
	}{
		"nothing odd":          {one("a", "$set", "ä", "a b", "_x"), `"a":0,"$set":1,"ä":2,"a b":3,"_x":4`},
		"empty, blank, dots":   {one("", " ", "...", "\u00a0"), `"_":0,"__2":1,"___":2,"__3":3`},
		"dots at the ends":     {one(".x", "y.", "a..b"), `"_x":0,"y_":1,"a__b":2`},
		"a dot alone":          {one("a.b", "c"), `"a.b":0,"c":1`},
		"beside its beginning": {one("a.b", "a"), `"a_b":0,"a":1`},
		"beside what it leads": {one("a.b", "a.b.c"), `"a.b":0,"a_b_c":1`},
		"taken by another":     {one("a.b", "a", "a_b"), `"a_b_2":0,"a":1,"a_b":2`},
		"Elasticsearch's own":  {one("id", "_source", "_id_", "_timestamp"), `"id_":0,"_source_":1,"_id_":2,"_timestamp_":3`},
		"ours":                 {one("_conversion_notes", "_mongo_database"), `"_conversion_notes_":0,"_mongo_database_":1`},
		"within an object":     {bson.D{{Key: "o", Value: one("", "a.b", "a", "id", "_conversion_notes")}}, `"o":{"_":0,"a_b":1,"a":2,"id":3,"_conversion_notes":4}`},
		"two of one name":      {one("a", "b", "a"), `"a":2,"b":1`},
	} {
		c := &converter{}
		doc, err := c.document(raw(t, append(bson.D{{Key: "_id", Value: "x"}}, tt.doc...)))
		if got := body(&doc); err != nil || got != `{"id":"x",`+tt.want+"}" {
			t.Errorf("%s: got %s, %v, want %s", name, got, err, tt.want)
		}
	}
}

// TestDocumentsThatAreLarge has 16 MiB, 20,000 names, 200 levels, and the same names twice among many.
func TestDocumentsThatAreLarge(t *testing.T) {
	t.Parallel()
	c := &converter{}
	long := strings.Repeat("x", 16<<20)
	doc, err := c.document(raw(t, bson.D{{Key: "_id", Value: "l"}, {Key: "text", Value: long}}))
	if err != nil || doc.Fields[0].Value.Text() != long {
		t.Errorf("16 MiB: %v", err)
	}
	wide := bson.D{{Key: "_id", Value: "w"}}
	for i := range 20_000 {
		wide = append(wide, bson.E{Key: fmt.Sprint("f", i), Value: int32(i)})
	}
	wide = append(wide, bson.E{Key: "f7", Value: "again"})
	doc, err = c.document(raw(t, wide))
	if err != nil || len(doc.Fields) != 20_000 || doc.Fields[7].Value.Text() != "again" {
		t.Errorf("20,000 names: %d, %v", len(doc.Fields), err)
	}
	deep := bson.D{{Key: "leaf", Value: int32(1)}}
	for range 200 {
		deep = bson.D{{Key: "o", Value: deep}}
	}
	doc, err = c.document(raw(t, append(bson.D{{Key: "_id", Value: "d"}}, deep...)))
	got := body(&doc)
	if err != nil || strings.Count(got, `"o":{`) != deepest-1 || strings.Count(got, `\"o\":`) != 200-deepest || !strings.Contains(got, "nested deeper") {
		t.Errorf("200 levels: %v: %s", err, got)
	}
}

// TestMalformedBSON checks that malformed bytes are an error, never a panic or half a document.
func TestMalformedBSON(t *testing.T) {
	t.Parallel()
	for i, d := range everyType(t) {
		complete := raw(t, append(bson.D{{Key: "_id", Value: int32(i)}}, d...))
		for n := range complete {
			c := &converter{}
			if _, err := c.document(complete[:n]); err == nil {
				t.Fatalf("%v: the first %d bytes are a document", d, n)
			}
			cut := bytes.Clone(complete[:n])
			cut = append(cut, 0)
			if n >= 4 { // with a length that fits
				cut[0], cut[1], cut[2], cut[3] = byte(len(cut)), byte(len(cut)>>8), 0, 0
			}
			_, _ = c.document(cut)
		}
	}
}

func FuzzDocument(f *testing.F) {
	for i, d := range everyType(f) {
		f.Add([]byte(raw(f, append(bson.D{{Key: "_id", Value: int32(i)}}, d...))))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		c := &converter{forms: forms(t, "", "", "")}
		doc, err := c.document(b)
		if err != nil {
			return
		}
		if got := body(&doc); strings.Contains(got, "\n") {
			t.Errorf("a line break: %s", got)
		}
	})
}

// TestInvalidUTF8 checks that text and names with invalid UTF-8 become readable, and the rest of the document stays.
func TestInvalidUTF8(t *testing.T) {
	t.Parallel()
	b := raw(t, bson.D{{Key: "_id", Value: "x"}, {Key: "text", Value: "aZZb"}, {Key: "nZZ", Value: int32(1)}})
	b = bytes.ReplaceAll(b, []byte("ZZ"), []byte{0xFF, 0xFE})
	doc, err := (&converter{}).document(b)
	if got, want := body(&doc), "{\"id\":\"x\",\"text\":\"a\uFFFD\uFFFDb\",\"n\uFFFD\uFFFD\":1}"; err != nil || got != want {
		t.Errorf("got %s, %v, want %s", got, err, want)
	}
}

// TestNotesAreFew checks that a document with many values that do not fit lists only the first ones.
func TestNotesAreFew(t *testing.T) {
	t.Parallel()
	list := bson.A{}
	for range 100 {
		list = append(list, math.NaN())
	}
	doc, err := (&converter{}).document(raw(t, bson.D{{Key: "_id", Value: "x"}, {Key: "a", Value: list}}))
	got := body(&doc)
	if err != nil || strings.Count(got, "NaN") != mostNotes || !strings.Contains(got, `"a.0: a number that JSON does not have: NaN"`) {
		t.Errorf("%v: %s", err, got)
	}
}

func BenchmarkDocument(b *testing.B) {
	t0 := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)
	doc := raw(b, bson.D{
		{Key: "_id", Value: bson.NewObjectID()},
		{Key: "name", Value: "customer 17 of the yardstick"},
		{Key: "n", Value: int32(17)},
		{Key: "price", Value: 4.25},
		{Key: "at", Value: bson.NewDateTimeFromTime(t0)},
		{Key: "tags", Value: bson.A{"a", "b", "c"}},
		{Key: "address", Value: bson.D{{Key: "city", Value: "Springfield"}, {Key: "zip", Value: "12345"}}},
		{Key: "text", Value: strings.Repeat("lorem ipsum ", 20)},
	})
	c := &converter{forms: forms(b, "", "", "")}
	b.ReportAllocs()
	b.SetBytes(int64(len(doc)))
	var out []byte
	for b.Loop() {
		d, err := c.document(doc)
		if err != nil {
			b.Fatal(err)
		}
		out = document.AppendFields(out[:0], &d)
	}
}
