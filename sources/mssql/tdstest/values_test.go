package tdstest_test

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/elastic-ingest/elastic-ingest/sources/mssql/tdstest"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// value is one column and the value sent in it.
type value struct {
	column tdstest.Column
	send   any
}

func at(text string) time.Time {
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		panic(err)
	}
	return t
}

// values are values of each type, at its limits.
func values() map[string]value {
	one := func(t tdstest.Type, v any) value { return value{tdstest.Column{Type: t}, v} }
	sized := func(t tdstest.Type, size int, v any) value { return value{tdstest.Column{Type: t, Size: size}, v} }
	digits := func(t tdstest.Type, precision, scale int, v any) value {
		return value{tdstest.Column{Type: t, Precision: precision, Scale: scale}, v}
	}
	return map[string]value{
		"tinyint is unsigned":                 one(tdstest.TinyInt, 255),
		"smallint":                            one(tdstest.SmallInt, -32768),
		"int":                                 one(tdstest.Int, -2147483648),
		"bigint":                              one(tdstest.BigInt, int64(-9223372036854775808)),
		"bit":                                 one(tdstest.Bit, true),
		"bit, off":                            one(tdstest.Bit, false),
		"decimal, 38 digits":                  digits(tdstest.Decimal, 38, 38, "-0.12345678901234567890123456789012345678"),
		"decimal, 28 digits":                  digits(tdstest.Decimal, 28, 0, "9999999999999999999999999999"),
		"decimal, 19 digits":                  digits(tdstest.Decimal, 19, 4, "-922337203685477.5807"),
		"decimal, 9 digits":                   digits(tdstest.Decimal, 9, 2, "0.05"),
		"decimal keeps zeros":                 digits(tdstest.Decimal, 10, 3, "12.5"),
		"decimal, 18 digits by default":       one(tdstest.Decimal, "123456789012345678"),
		"numeric":                             digits(tdstest.Numeric, 5, 1, "-1.5"),
		"money, smallest":                     one(tdstest.Money, "-922337203685477.5808"),
		"money":                               one(tdstest.Money, "1234.5"),
		"smallmoney, smallest":                one(tdstest.SmallMoney, "-214748.3648"),
		"real":                                one(tdstest.Real, float32(0.1)),
		"float":                               one(tdstest.Float, 0.1),
		"char is padded":                      sized(tdstest.Char, 5, "ab"),
		"varchar":                             sized(tdstest.VarChar, 20, "é ÿ\u00a0"),
		"varchar, empty":                      sized(tdstest.VarChar, 20, ""),
		"varchar(max)":                        sized(tdstest.VarChar, tdstest.Max, "é"),
		"varchar(max), empty":                 sized(tdstest.VarChar, tdstest.Max, ""),
		"nchar is padded":                     sized(tdstest.NChar, 5, "ž"),
		"nvarchar":                            sized(tdstest.NVarChar, 20, "žluť😀\x00"),
		"nvarchar(max), several chunks":       sized(tdstest.NVarChar, tdstest.Max, strings.Repeat("ž", 40000)),
		"text":                                one(tdstest.Text, "é"),
		"ntext":                               one(tdstest.NText, "žluť😀"),
		"image":                               one(tdstest.Image, []byte{0, 0xff, 0x80}),
		"binary is padded":                    sized(tdstest.Binary, 5, []byte{0, 0xff, 0x80}),
		"varbinary":                           sized(tdstest.VarBinary, 5, []byte{0, 0xff, 0x80}),
		"varbinary, empty":                    sized(tdstest.VarBinary, 5, []byte{}),
		"varbinary(max)":                      sized(tdstest.VarBinary, tdstest.Max, []byte{0, 0xff, 0x80}),
		"date, first":                         one(tdstest.Date, at("0001-01-01T00:00:00Z")),
		"date, last":                          one(tdstest.Date, at("9999-12-31T00:00:00Z")),
		"time, 7 digits":                      digits(tdstest.Time, 0, 7, at("0001-01-01T23:59:59.9999999Z")),
		"time, 4 digits":                      digits(tdstest.Time, 0, 4, at("0001-01-01T12:34:56.7891Z")),
		"time, no fraction":                   digits(tdstest.Time, 0, 0, at("0001-01-01T12:34:56.789Z")),
		"datetime2, 7 digits":                 digits(tdstest.DateTime2, 0, 7, at("2024-02-29T12:34:56.1234567Z")),
		"datetime2, last":                     digits(tdstest.DateTime2, 0, 7, at("9999-12-31T23:59:59.9999999Z")),
		"datetime2 has a wall clock":          digits(tdstest.DateTime2, 0, 0, at("2024-02-29T12:34:56+05:30")),
		"datetimeoffset keeps its offset":     digits(tdstest.DateTimeOffset, 0, 7, at("2024-03-01T01:34:56.1234567+14:00")),
		"datetimeoffset, negative":            digits(tdstest.DateTimeOffset, 0, 0, at("2024-02-28T23:34:56-03:30")),
		"datetime, ticks of 3.33 ms":          one(tdstest.DateTime, at("2024-02-29T12:34:56.007Z")),
		"datetime, first":                     one(tdstest.DateTime, at("1753-01-01T00:00:00Z")),
		"datetime, the next day by its ticks": one(tdstest.DateTime, at("2024-02-29T23:59:59.999Z")),
		"smalldatetime":                       one(tdstest.SmallDateTime, at("2079-06-06T23:59:00Z")),
		"uniqueidentifier":                    one(tdstest.UniqueIdentifier, "01234567-89ab-cdef-0123-456789abcdef"),
		"xml":                                 one(tdstest.XML, "<a>ž</a>"),
		"rowversion":                          one(tdstest.RowVersion, []byte{0, 0, 0, 0, 0, 0, 7, 0xd1}),
		"geography":                           {tdstest.Column{Type: tdstest.UDT, TypeName: "geography"}, []byte{0xe6, 0x10, 0, 0, 1, 0x0c}},
		"hierarchyid":                         {tdstest.Column{Type: tdstest.UDT, TypeName: "hierarchyid"}, []byte{0x5b, 0x40}},
	}
}

// TestEveryTypeRoundTrips compares the value that the driver returns with a golden file, with the driver's name for
// the type. The value is the same in a column that has NULLs.
func TestEveryTypeRoundTrips(t *testing.T) {
	t.Parallel()
	s := tdstest.New(t, config())
	db := open(t, s.DSN())
	got := map[string]string{}
	for name, v := range values() {
		for _, nullable := range []bool{false, true} {
			v.column.Name, v.column.Nullable = "c", nullable
			query := fmt.Sprintf("SELECT %q, %v", name, nullable)
			answer(s, query, tdstest.Result{Columns: []tdstest.Column{v.column}, Rows: [][]any{{v.send}}})
			shown, err := readOne(t.Context(), db, query)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if before, ok := got[name]; ok && before != shown {
				t.Errorf("%s: a column with NULLs has %s, another one %s", name, shown, before)
			}
			got[name] = shown
		}
	}
	golden(t, "values.json", got)
}

// readOne returns type and value of the only column of the only row.
func readOne(ctx context.Context, db *sql.DB, query string) (string, error) {
	rows, err := db.QueryContext(ctx, query)
	if err != nil {
		return "", err
	}
	defer rows.Close()
	types, err := rows.ColumnTypes()
	if err != nil {
		return "", err
	}
	var out any
	if !rows.Next() {
		return "", fmt.Errorf("there is no row: %w", rows.Err())
	}
	if err := rows.Scan(&out); err != nil {
		return "", err
	}
	return types[0].DatabaseTypeName() + " " + show(out), nil
}

// show is a value with its type; a long one is shown as its length.
func show(v any) string {
	switch v := v.(type) {
	case []byte:
		if bytes.ContainsFunc(v, func(r rune) bool { return !strings.ContainsRune("0123456789.-", r) }) || len(v) == 0 {
			return fmt.Sprintf("[]byte %x", v)
		}
		return fmt.Sprintf("[]byte %q", v)
	case time.Time:
		return "time.Time " + v.Format(time.RFC3339Nano)
	case string:
		if len(v) > 100 {
			return fmt.Sprintf("string of %d bytes: %q...", len(v), v[:10])
		}
		return fmt.Sprintf("string %q", v)
	default:
		return fmt.Sprintf("%T %v", v, v)
	}
}

func golden(t *testing.T, name string, got any) {
	t.Helper()
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(got); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, out.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), out.String()); d != "" {
		t.Errorf("differs from %s (-update rewrites it):\n%s", path, d)
	}
}

// TestNullIsNil in every type: alone, where ROW is shorter for some types and NBCROW for others, and among other
// values, where NBCROW always is.
func TestNullIsNil(t *testing.T) {
	t.Parallel()
	s := tdstest.New(t, config())
	db := open(t, s.DSN())
	var all []tdstest.Column
	for name, v := range values() {
		v.column.Name, v.column.Nullable = name, true
		all = append(all, v.column)
		query := fmt.Sprintf("SELECT NULL OF %q", name)
		answer(s, query, tdstest.Result{
			Columns: []tdstest.Column{v.column}, Rows: [][]any{{v.send}, {nil}, {v.send}},
		})
		got, err := read(t.Context(), db, query)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if len(got) != 3 || got[1][0] != nil || !cmp.Equal(got[0], got[2]) || got[0][0] == nil {
			t.Errorf("%s: got %v", name, got)
		}
	}
	all = append(all, tdstest.Column{Name: "n", Type: tdstest.Int})
	row := make([]any, len(all))
	row[len(row)-1] = 7
	answer(s, "SELECT *", tdstest.Result{Columns: all, Rows: [][]any{row, row}})
	got, err := read(t.Context(), db, "SELECT *")
	if err != nil {
		t.Fatal(err)
	}
	row[len(row)-1] = int64(7)
	if d := cmp.Diff([][]any{row, row}, got); d != "" {
		t.Errorf("a row of NULLs differs:\n%s", d)
	}
}

// TestLongValuesArriveComplete over many packets and chunks.
func TestLongValuesArriveComplete(t *testing.T) {
	t.Parallel()
	s := tdstest.New(t, config())
	long := strings.Repeat("0123456789abcdef", 20<<20/16)
	answer(s, "SELECT c", tdstest.Result{
		Columns: []tdstest.Column{
			{Name: "c", Type: tdstest.VarChar, Size: tdstest.Max, Nullable: true}, {Name: "n", Type: tdstest.Int},
		},
		Rows: [][]any{{long, 1}, {nil, 2}},
	})
	got, err := read(t.Context(), open(t, s.DSN()+"&packet+size=32767"), "SELECT c")
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != 2 || got[0][0] != long || got[0][1] != int64(1) || got[1][0] != nil || got[1][1] != int64(2) {
		t.Errorf("got %d rows that differ", len(got))
	}
}
