package oracle

import (
	"database/sql/driver"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	ora "github.com/sijms/go-ora/v2"
)

func TestPosition(t *testing.T) {
	t.Parallel()
	tab := &table{Sorted: true, Key: []int{1, 0, 3, 2}}
	for _, name := range []string{"NUMBER", "NVARCHAR2", "DATE", "TIMESTAMP(6)"} {
		tab.Columns = append(tab.Columns, column{Name: name, Type: declaredType(declared(name))})
	}
	at := tab.Start()
	if c, args := rowsAfter(tab, at); c != "" || args != nil {
		t.Errorf("before the first row: %s %v", c, args)
	}
	at.Losses = 2
	day := time.Date(2024, 1, 2, 3, 4, 5, 6000, time.UTC)
	at.Advance(tab.Key, []driver.Value{"7", "b", day.Truncate(time.Second), day})
	const want = `"NVARCHAR2" >= :1 AND ("NVARCHAR2" > :2 OR ("NVARCHAR2" = :3 AND "NUMBER" >= :4 AND ("NUMBER" > :5 OR ("NUMBER" = :6 AND ` +
		`"TIMESTAMP(6)" >= TO_TIMESTAMP(:7, 'YYYY-MM-DD"T"HH24:MI:SS.FF9') AND ("TIMESTAMP(6)" > TO_TIMESTAMP(:8, 'YYYY-MM-DD"T"HH24:MI:SS.FF9') OR ` +
		`("TIMESTAMP(6)" = TO_TIMESTAMP(:9, 'YYYY-MM-DD"T"HH24:MI:SS.FF9') AND "DATE" > TO_DATE(:10, 'YYYY-MM-DD"T"HH24:MI:SS')))))))`
	got, args := rowsAfter(tab, at)
	if d := cmp.Diff(want, got); d != "" || at.Losses != 0 {
		t.Error(d)
	}
	n, s, stamp := int64(7), ora.NVarChar("b"), "2024-01-02T03:04:05.000006000"
	if d := cmp.Diff([]driver.Value{s, s, s, n, n, n, stamp, stamp, stamp, "2024-01-02T03:04:05"}, args); d != "" {
		t.Error(d)
	}
	if !canCompare(at) {
		t.Error("a date cannot be compared")
	}
	at.Advance(tab.Key, []driver.Value{"7", "b", time.Date(-43, 3, 15, 0, 0, 0, 0, time.UTC), day})
	if canCompare(at) {
		t.Error("a date before the year 1 can be compared")
	}
	tab.Sorted = false
	if tab.Start() != nil {
		t.Error("rows without an order have a position")
	}
}

// TestNumberArgument checks that the driver sends a number back unchanged.
func TestNumberArgument(t *testing.T) {
	t.Parallel()
	for digits, want := range map[string]string{
		"0": "int64 0", "-7": "int64 -7", "9223372036854775807": "int64 9223372036854775807", "12.": "int64 12",
		"9223372036854775808": "9223372036854775808", "-9223372036854775809": "-9223372036854775809",
		"0.5": "0.5", "-0.05": "-0.05", "0.001": "0.001", "12.5": "12.5", "-123.456": "-123.456", "100.25": "100.25",
		"12345678901234567890.1234567890123456789": "12345678901234567890.1234567890123456789",
		"99999999999999999999999999999999999999":   "99999999999999999999999999999999999999",
		"100000000000000000000":                    "100000000000000000000",
	} {
		got := fmt.Sprintf("%T %[1]v", numberArgument(digits))
		if n, ok := numberArgument(digits).(*ora.Number); ok {
			text, err := n.String()
			if err != nil {
				t.Errorf("%s: %v", digits, err)
			}
			got = text
		}
		if got != want {
			t.Errorf("%s: got %s", digits, got)
		}
	}
	if got := scientific("0.00"); got != "0" {
		t.Errorf("zero is %s", got)
	}
}

// TestUnsortedTypes checks that reading does not resume after types that the server sorts and compares differently,
// or that the driver changes.
func TestUnsortedTypes(t *testing.T) {
	t.Parallel()
	for name, sorted := range map[string]bool{
		"NUMBER": true, "FLOAT": true, "VARCHAR2": true, "CHAR": true, "NCHAR": true, "RAW": true, "DATE": true, "TIMESTAMP(6)": true,
		"BINARY_FLOAT": false, "BINARY_DOUBLE": false, "CLOB": false, "BLOB": false, "TIMESTAMP(6) WITH TIME ZONE": false,
		"TIMESTAMP(6) WITH LOCAL TIME ZONE": false, "INTERVAL DAY(2) TO SECOND(6)": false, "ROWID": false, "BOOLEAN": false, "JSON": false, "a new type": false,
	} {
		if typ := declaredType(declared(name)); (typ.Bind != "") != sorted {
			t.Errorf("%s: bound as %q", name, typ.Bind)
		}
	}
}
