package postgresql

import (
	"cmp"
	"testing"

	"github.com/elastic-ingest/elastic-ingest/engine/source"
)

// TestKindsOfTypes covers the kinds that need no server; TestEveryTypeHasItsKind has the types by name.
func TestKindsOfTypes(t *testing.T) {
	t.Parallel()
	known := types{
		50000: {name: "percent", kind: "d", base: oidInt4},
		50001: {name: "_percent", kind: "b", category: "A", element: 50000, delimiter: ","},
		50002: {name: "mood", kind: "e"},
		50003: {name: "vector", kind: "b", category: "U"},
		50004: {name: "geometry", kind: "b", category: "U"},
		50005: {name: "pair", kind: "c"},
		50006: {name: "_numeric", kind: "b", category: "A", element: oidNumeric, delimiter: ","},
	}
	for _, tt := range []struct {
		oid          uint32
		kind, compat source.FieldKind
		digits       bool
	}{
		{oidInt2, source.Long, source.Long, true},
		{oidInt8, source.Long, source.Long, true},
		{oidOID, source.Long, source.Long, true},
		{oidBool, source.Boolean, source.Boolean, false},
		{oidFloat4, source.Double, source.Double, false},
		{oidFloat8, source.Double, source.Double, false},
		{oidNumeric, source.Decimal, source.Double, false}, // NaN
		{oidMoney, source.Decimal, source.Text, false},
		{oidBytea, source.Binary, source.Text, false},
		{oidDate, source.Date, source.Date, false},
		{oidTimestamp, source.Date, source.Date, false},
		{oidTimestampTZ, source.Date, source.Date, false},
		{oidTime, source.Text, source.Text, false},
		{oidTimeTZ, source.Text, source.Text, false},
		{oidInterval, source.Text, source.Text, false},
		{oidJSON, source.Text, source.Text, false},
		{oidJSONB, source.Text, source.Text, false},
		{oidBit, source.Text, source.Text, false},
		{oidPoint, source.Text, source.Text, false},
		{25, source.Text, source.Text, false},
		{142, source.Text, source.Text, false},
		{650, source.Keyword, source.Keyword, false},
		{869, source.Keyword, source.Keyword, false},
		{829, source.Keyword, source.Keyword, false},
		{2950, source.Keyword, source.Keyword, false},
		{50000, source.Long, source.Long, true},
		{50001, source.Long, source.Long, false},
		{50002, source.Keyword, source.Keyword, false},
		{50003, source.Double, source.Text, false},
		{50004, source.Text, source.Text, false},
		{50005, source.Text, source.Text, false},
		{50006, source.Decimal, source.Double, false},
	} {
		c := known.column(tt.oid)
		if got := cmp.Or(c.Encoded(false).Kind, source.Text); got != tt.kind {
			t.Errorf("%d: got %q, want %q", tt.oid, got, tt.kind)
		}
		if got := cmp.Or(c.Encoded(true).Kind, source.Text); got != tt.compat {
			t.Errorf("%d in compat: got %q, want %q", tt.oid, got, tt.compat)
		}
		if c.Digits != tt.digits {
			t.Errorf("%d: digits in ids: got %t", tt.oid, c.Digits)
		}
	}
}
