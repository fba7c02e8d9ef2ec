package dir

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/elastic-ingest/elastic-ingest/engine/document"
	"github.com/elastic-ingest/elastic-ingest/engine/source"
)

// fieldsJSON is the document without its id, as it will stand in the index.
func fieldsJSON(d document.Document) string {
	return string(document.Object(d.Fields).AppendJSON(nil))
}

func TestRecords(t *testing.T) {
	t.Parallel()
	long := `{"id":"l","t":"` + strings.Repeat("x", 183) + `"}` // 200 bytes
	tests := []struct {
		rule, name, data string
		want             []string // id, space, the fields without source_file
		wantErr          string
	}{
		{"an object is a document", "a.json", `{"id": "a", "n": 1}`, []string{`a {"n":1}`}, ""},
		{"over several lines, too", "a.json", "\n{\n  \"id\": \"a\"\n}\n", []string{`a {}`}, ""},
		{"an array is one for each object", "a.json", ` [ {"id":"a"} , {"id":"b"} ] `, []string{`a {}`, `b {}`}, ""},
		{"an empty array is none", "a.json", `[ ]`, nil, ""},
		{"objects after each other", "a.json", "{\"id\":\"a\"}{\"id\":\"b\"}\n{\"id\":\"c\"}", []string{`a {}`, `b {}`, `c {}`}, ""},
		{"braces in text are text", "a.json", `[{"id":"}{]\"\\","x":"["}]`, []string{`}{]"\ {"x":"["}`}, ""},
		{"an empty file is no JSON", "a.json", " \n", nil, "line 2: the file is empty"},
		{"an array without an end", "a.json", "[{\"id\":\"a\"},\n", []string{`a {}`}, "line 2: the array is not closed"},
		{"an array that stops", "a.json", "[{\"id\":\"a\"}\n", []string{`a {}`}, "line 2: the array is not closed"},
		{"an array that has only begun", "a.json", "[", nil, "line 1: the array is not closed"},
		{"a comma too many", "a.json", `[{"id":"a"},]`, []string{`a {}`}, `line 1: an object was expected, not ']'`},
		{"a comma too few", "a.json", `[{"id":"a"} {"id":"b"}]`, []string{`a {}`}, "line 1: a comma or the end"},
		{"a comma at the beginning", "a.json", `[,{"id":"a"}]`, nil, "line 1: an object was expected, not ','"},
		{"text after the array", "a.json", "[{\"id\":\"a\"}]\n{}", []string{`a {}`}, "line 2: text after the array"},
		{"something else than an object", "a.json", "[\n1]", nil, "line 2: an object was expected, not '1'"},
		{"an object without an end", "a.json", "{}\n{\"id\": \"a\",\n", []string{" {}"}, "line 2: the object that begins here is not closed"},
		{"an object that is cut in text", "a.json", `{"id": "a\`, nil, "line 1: the object that begins here is not closed"},
		{"an object that is no JSON", "a.json", "[\n{\"id\": a}]", nil, "line 2: not JSON"},
		{"brackets that do not pair", "a.json", `{"id": "a"]`, nil, "line 1: not JSON"},

		{"a line is a document", "a.ndjson", "{\"id\":\"a\"}\r\n\r\n  \n{\"id\":\"b\"}", []string{`a {}`, `b {}`}, ""},
		{"in capitals, and by the other name", "A.JSONL", `{"id":"a"}`, []string{`a {}`}, ""},
		{"an empty file of lines is none", "a.ndjson", "", nil, ""},
		{"a line that is no object", "a.ndjson", "{\"id\":\"a\"}\n[1]\n", []string{`a {}`}, "line 2: an object was expected"},
		{"a line that is cut", "a.ndjson", "{\"id\":\"a\"}\n\n{\"id\":", []string{`a {}`}, "line 3: not JSON"},
		{"two objects in a line", "a.ndjson", `{"id":"a"}{"id":"b"}`, nil, "line 1: not JSON"},

		{
			"values are kept as they are written", "a.ndjson",
			`{"id":"a", "n": 12.50, "big": 123456789012345678901234567890, "e": 1E+2, "z": -0, "u": "\u00fc\/", "o": {"b": [1, {"c": null}], "a": true}}`,
			[]string{`a {"n":12.50,"big":123456789012345678901234567890,"e":1E+2,"z":-0,"u":"\u00fc\/","o":{"b":[1,{"c":null}],"a":true}}`},
			"",
		},
		{"a byte order mark does not count", "a.ndjson", "\xef\xbb\xbf{\"id\":\"a\"}", []string{`a {}`}, ""},
		{"nor before an array", "a.json", "\xef\xbb\xbf[{\"id\":\"a\"}]", []string{`a {}`}, ""},
		{"nor before a header", "a.csv", "\xef\xbb\xbfid,b\na,1\n", []string{`a {"b":"1"}`}, ""},
		{"bytes that are not UTF-8 are Windows-1252", "a.ndjson", "{\"id\":\"a\",\"b\":\"\xff\"}", []string{"a {\"b\":\"\u00ff\"}"}, ""},
		{"of a field that comes twice the last counts", "a.ndjson", `{"id":"a","b":1,"c":2,"b":3}`, []string{`a {"b":3,"c":2}`}, ""},
		{"escapes in names are read", "a.ndjson", `{"\u0069d":"a","\"":1}`, []string{`a {"\"":1}`}, ""},

		{"the id may be a number", "a.ndjson", `{"id":12345678901234567890}`, []string{`12345678901234567890 {"id":12345678901234567890}`}, ""},
		{"or true or false", "a.ndjson", `{"id":false}`, []string{`false {"id":false}`}, ""},
		{"or stand in _id", "a.ndjson", `{"_id":"a","x":1}`, []string{`a {"x":1}`}, ""},
		{"id comes before _id", "a.ndjson", `{"_id":"b","id":"a"}`, []string{`a {"_id":"b"}`}, ""},
		{
			"an id that is null, empty or no scalar is none", "a.ndjson",
			`{"id":null}` + "\n" + `{"id":""}` + "\n" + `{"id":{}}` + "\n" + `{"id":[1]}` + "\n" + `{}` + "\n" + `{"id":{},"_id":"a"}`,
			[]string{` {"id":null}`, " {}", ` {"id":{}}`, ` {"id":[1]}`, ` {}`, `a {"id":{}}`},
			"line 1: the record has no id: no value in id or _id (records without an id: 5)",
		},

		{"a row is a document of text", "a.csv", "id,n,t\n1,1.50,\n2,,\" x \"\n", []string{`1 {"n":"1.50","t":""}`, `2 {"n":"","t":" x "}`}, ""},
		{"quotes hold commas, quotes and lines", "a.csv", "id,t\r\n1,\"a,\"\"b\"\"\r\nc\"\r\n", []string{`1 {"t":"a,\"b\"\r\nc"}`}, ""},
		{"a header alone is none", "a.csv", "id,n\n", nil, ""},
		{"an empty file of rows is none", "a.csv", "", nil, ""},
		{"a row with too few fields", "a.csv", "id,n\n1,a\n\n2\n", []string{`1 {"n":"a"}`}, "line 4: 1 values, but the header has 2"},
		{"a row with too many fields", "a.csv", "id,n\n1,\"a\n\"\n2,a,b\n", []string{"1 {\"n\":\"a\\n\"}"}, "line 4: 3 values, but the header has 2"},
		{"a quote that is not closed", "a.csv", "id,n\n1,a\n2,\"b\n3,c\n", []string{`1 {"n":"a"}`}, "line 3: a quoted value is not closed"},
		{"a quote within a field", "a.csv", "id\na\"b\n", nil, "line 2: a quote within"},
		{"a column without a name", "a.csv", "id,\n1,2\n", nil, "line 1: column 2 has no name"},
		{"two columns of one name", "a.csv", "id,n,n\n1,2,3\n", nil, `line 1: two columns have the name "n"`},
		{"tabs part the fields of TSV", "a.tsv", "id\tn\n1\ta,b\n", []string{`1 {"n":"a,b"}`}, ""},
		{"quotes in TSV are those of CSV", "a.tsv", "id\tn\n1\t\"a\tb\"\n2\ta \"b\"\n", []string{`1 {"n":"a\tb"}`}, "line 3: a quote within"},

		{"a record of the limit is read", "a.ndjson", long[:len(long)-2] + "\"}\r\n", []string{"l " + `{` + long[len(`{"id":"l",`):]}, ""},
		{"a longer line is not", "a.ndjson", "{\"id\":\"a\"}\n" + long + " ", []string{`a {}`}, "line 2: the record is longer than 200 bytes; raise max_record_bytes"},
		{"nor a longer object", "a.json", "{\"id\":\"a\"}\n" + long[:20] + "y" + long[20:], []string{`a {}`}, "line 2: the record is longer than 200 bytes"},
		{"nor a longer row", "a.csv", "id,n\n1,a\n2," + strings.Repeat("x", 200), []string{`1 {"n":"a"}`}, "line 3: the record is longer than 200 bytes"},
		{"a file that is not of records is left out", "a.txt", `{"id":"a"}`, nil, ""},
	}
	for _, tt := range tests {
		t.Run(tt.rule, func(t *testing.T) {
			t.Parallel()
			root := write(t, t.TempDir(), map[string]string{"sub/" + tt.name: tt.data})
			docs, _, failed := readEach(t, opened(t, map[string]any{
				"directory": root, "format": formatDocuments, "max_record_bytes": len(long),
			}))
			var got []string
			for _, d := range docs {
				last := len(d.Fields) - 1
				if f := d.Fields[last]; f.Name != fileField || f.Value.Text() != "sub/"+tt.name {
					t.Errorf("the last field is %s, want the file", f.Name)
				}
				d.Fields = d.Fields[:last]
				got = append(got, d.ID+" "+fieldsJSON(d))
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			err := failed["sub/"+tt.name]
			switch {
			case (err == nil) != (tt.wantErr == ""):
				t.Errorf("got error %v, want %q", err, tt.wantErr)
			case err != nil && (!strings.HasPrefix(err.Error(), "sub/"+tt.name+": "+tt.wantErr) || source.Hint(err) == ""):
				t.Errorf("got error %v with hint %q, want %q and a hint", err, source.Hint(err), tt.wantErr)
			}
		})
	}
}

func TestIDFields(t *testing.T) {
	t.Parallel()
	root := write(t, t.TempDir(), map[string]string{
		"a.ndjson": `{"shop":"a/b","sku":1,"id":"x"}` + "\n" + `{"shop":"a","sku":"b/1"}` + "\n" + `{"shop":"a%2Fb","sku":1}` + "\n" + `{"shop":"a"}`,
	})
	tests := []struct {
		rule    string
		idField any
		want    []string
	}{
		{"one field, unchanged", "shop", []string{"a/b", "a", "a%2Fb", "a"}},
		{"several joined so that they stay distinct", "shop, sku", []string{"a%2Fb/1", "a/b%2F1", "a%252Fb/1", ""}},
		{"a list", []any{"sku", "shop"}, []string{"1/a%2Fb", "b%2F1/a", "1/a%252Fb", ""}},
	}
	for _, tt := range tests {
		docs, _, failed := readEach(t, opened(t, map[string]any{"directory": root, "format": formatDocuments, "id_field": tt.idField}))
		var got []string
		for _, d := range docs {
			got = append(got, d.ID)
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.rule, diff)
		}
		err := failed["a.ndjson"]
		if (err != nil && strings.Contains(err.Error(), "line 4")) != (tt.want[3] == "") {
			t.Errorf("%s: the record without an id is at line 4, the file fails with %v", tt.rule, err)
		}
	}
}

func TestFieldOfTheFileGivesWay(t *testing.T) {
	t.Parallel()
	root := write(t, t.TempDir(), map[string]string{"a.ndjson": `{"id":"a","source_file":1,"source_file_":2,"path":"/x"}`})
	docs, _, _ := readEach(t, opened(t, map[string]any{"directory": root, "format": formatDocuments}))
	want := `{"source_file__":1,"source_file_":2,"path":"/x","source_file":"a.ndjson"}`
	if got := fieldsJSON(docs[0]); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// Records of any size never fill the memory: reading of a file stops soon after the limit.
func TestHugeRecords(t *testing.T) {
	files := map[string]string{
		"a.ndjson": "{\"id\":\"a\"}\n{\"id\":\"", "b.json": `[{"id":"a"},{"id":"`, "c.csv": "id\na\n\"", "d.tsv": "id\na\n",
		"e.csv": "", "f.json": "",
	}
	root := write(t, t.TempDir(), files)
	for name := range files {
		if err := os.Truncate(filepath.Join(root, name), 2<<30); err != nil {
			t.Skipf("this file system has no sparse files: %v", err)
		}
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	docs, _, failed := readEach(t, opened(t, map[string]any{
		"directory": root, "format": formatDocuments, "max_record_bytes": 1 << 20,
	}))
	runtime.ReadMemStats(&after)
	if len(docs) != 4 || len(failed) != 6 {
		t.Errorf("got %d documents, failed %v; want 4, and 6 files failed", len(docs), failed)
	}
	if used := after.TotalAlloc - before.TotalAlloc; used > 64<<20 {
		t.Errorf("%d MiB were allocated for records of at most 1 MiB", used>>20)
	}
}

// An object may have as many fields as its bytes hold, also under few names.
func TestObjectOfManyFields(t *testing.T) {
	t.Parallel()
	const n = 50_000
	for _, names := range []int{n, many + 1, many} {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, ",\"%d\":%d", i%names, i)
		}
		fields, err := object(nil, []byte("{"+b.String()[1:]+"}"))
		if err != nil || len(fields) != names {
			t.Errorf("got %d fields, %v; want %d", len(fields), err, names)
		}
	}
}

func collect(seq iter.Seq2[record, error]) (all []record, err error) {
	for rec, err := range seq {
		if err != nil {
			return all, err
		}
		rec.fields = slices.Clone(rec.fields)
		all = append(all, rec)
	}
	return all, nil
}

// FuzzObject compares with encoding/json.
func FuzzObject(f *testing.F) {
	for _, s := range []string{`{}`, `{"a":1}`, `{"a":{"b":[1,"}"]},"c":"\""}`, `{"a":1,"a":2}`, `{"":""}`, `[1]`, `{"a":-1.5e3,"b":true}`, "{\"\xff\":\"\xff\"}"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		fields, err := object(nil, data)
		var want map[string]any
		wantErr := json.Unmarshal(data, &want)
		if (err == nil) != (wantErr == nil && want != nil) {
			t.Fatalf("got %v, encoding/json says %v", err, wantErr)
		}
		if err != nil {
			return
		}
		var got map[string]any
		if err := json.Unmarshal(document.Object(fields).AppendJSON(nil), &got); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-encoding/json +got):\n%s", diff)
		}
		if len(got) != len(fields) {
			t.Errorf("a name comes twice: %d fields, %d names", len(fields), len(got))
		}
	})
}

// FuzzReaders: whatever a file holds, its records are objects with an end, and what is valid JSON is
// read to it.
func FuzzReaders(f *testing.F) {
	for _, s := range []string{`[{"a":1},{"b":2}]`, `{"a":1}{"b":2}`, "{\"a\":1}\n\n{\"b\":2}", "a,b\n1,2\n", "a\n\"\n", "[", "[]", "[{}", "\xef\xbb\xbf[]"} {
		f.Add(s, uint16(100))
		f.Add(s, uint16(4))
	}
	f.Fuzz(func(t *testing.T, data string, most uint16) {
		for _, ext := range []string{".json", ".ndjson", ".csv", ".tsv"} {
			records, err := collect(readerFor("a"+ext)(strings.NewReader(data), &settings{maxRecord: int(most) + 1}))
			for _, r := range records {
				if !json.Valid(document.Object(r.fields).AppendJSON(nil)) {
					t.Errorf("%s: a record is no object", ext)
				}
			}
			if errors.Is(err, io.EOF) {
				t.Errorf("%s: got io.EOF", ext)
			}
			var array []map[string]any
			if ext == ".json" && most > 1000 && json.Unmarshal([]byte(data), &array) == nil && array != nil {
				whole := true
				for _, o := range array {
					whole = whole && o != nil
				}
				if whole && len(data) < 1000 && (err != nil || len(records) != len(array)) {
					t.Errorf("got %d records, %v; encoding/json reads %d", len(records), err, len(array))
				}
			}
		}
	})
}

func BenchmarkRecords(b *testing.B) {
	line := `{"id":"products_1042","name":"Espresso machine","price":12.50,"tags":["a","b"],"stock":{"a":1}}` + "\n"
	data := strings.Repeat(line, 10_000)
	for _, name := range []string{"a.ndjson", "a.json"} {
		b.Run(filepath.Ext(name), func(b *testing.B) {
			b.SetBytes(int64(len(data)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := collect(readerFor(name)(strings.NewReader(data), &settings{maxRecord: 16 << 20})); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// TestNamesThatNoIndexTakesAreChanged: in records of every form, at every level.
func TestNamesThatNoIndexTakesAreChanged(t *testing.T) {
	t.Parallel()
	root := write(t, t.TempDir(), map[string]string{
		"a.ndjson": `{"id":"1","c":1,"c..d":2,"":3,"o":{".":4,"p.q":5,"p":6}}` + "\n",
		"b.csv":    "id,x,x.y, \n2,a,b,c\n",
	})
	got := map[string]string{}
	for part, err := range opened(t, map[string]any{"directory": root, "format": formatDocuments}).Parts(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		for doc, err := range part.Documents(t.Context()) {
			if err != nil {
				t.Fatal(err)
			}
			raw, _ := document.AppendSource(nil, &doc, document.Trailer{})
			got[doc.ID] = string(raw)
		}
	}
	for id, names := range map[string][]string{"1": {`"c":1`, `"c__d":2`, `"_":3`, `"p":6`}, "2": {`"x":"a"`, `"x_y":"b"`}} {
		for _, name := range names {
			if !strings.Contains(got[id], name) {
				t.Errorf("record %s lacks %s: %s", id, name, got[id])
			}
		}
		if strings.Contains(got[id], `"c..d"`) || strings.Contains(got[id], `"."`) || strings.Contains(got[id], `"":`) {
			t.Errorf("record %s: %s", id, got[id])
		}
	}
}
