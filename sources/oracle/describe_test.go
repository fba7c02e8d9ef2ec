package oracle

import (
	"cmp"
	"errors"
	"strings"
	"testing"

	"github.com/elastic-ingest/elastic-ingest/engine/source"
)

func TestKindsOfTypes(t *testing.T) {
	t.Parallel()
	number := func(precision, scale int64) declaration {
		return declaration{name: "NUMBER", precision: precision, scale: scale, scaled: true}
	}
	named := func(name string) declaration { return declaration{name: name} }
	for _, tt := range []struct {
		typ          declaration
		kind, compat source.FieldKind // compat is the kind in the encoding compat; "" if it is the same
		digits       bool
	}{
		{number(10, 0), source.Long, "", true},
		{number(18, 0), source.Long, "", true},
		{number(16, -2), source.Long, "", true},
		{number(19, 0), source.Decimal, source.Double, true},
		{number(38, 0), source.Decimal, source.Double, true},
		{number(0, 0), source.Decimal, source.Double, true}, // INTEGER
		{number(12, 2), source.Decimal, source.Double, true},
		{named("NUMBER"), source.Decimal, source.Double, false}, // which may be infinite
		{named("FLOAT"), source.Decimal, source.Double, false},
		{named("BINARY_FLOAT"), source.Double, "", false},
		{named("BINARY_DOUBLE"), source.Double, "", false},
		{named("CHAR"), source.Text, "", false},
		{named("VARCHAR2"), source.Text, "", false},
		{named("NVARCHAR2"), source.Text, "", false},
		{named("CLOB"), source.Text, "", false},
		{named("LONG"), source.Text, "", false},
		{named("ROWID"), source.Keyword, "", false},
		{named("UROWID"), source.Keyword, "", false},
		{named("RAW"), source.Binary, source.Text, false},
		{named("BLOB"), source.Binary, source.Text, false},
		{named("LONG RAW"), source.Binary, source.Text, false},
		{named("BFILE"), source.Object, "", false},
		{named("DATE"), source.Date, "", false},
		{named("TIMESTAMP(6)"), source.Date, "", false},
		{named("TIMESTAMP(6) WITH TIME ZONE"), source.Date, "", false},
		{named("TIMESTAMP(6) WITH LOCAL TIME ZONE"), source.Date, "", false},
		{named("INTERVAL YEAR(2) TO MONTH"), source.Text, "", false},
		{named("INTERVAL DAY(2) TO SECOND(6)"), source.Text, "", false},
		{named("BOOLEAN"), source.Boolean, "", false},
		{named("JSON"), source.Text, "", false},
		{named("VECTOR"), source.Double, "", false},
		{named("XMLTYPE"), source.Text, "", false},
		{named("SDO_GEOMETRY"), source.Object, "", false},
		{named("OF A LATER VERSION"), source.Text, "", false},
	} {
		for compat, want := range map[bool]source.FieldKind{false: tt.kind, true: cmp.Or(tt.compat, tt.kind)} {
			typ := declaredType(tt.typ).Encoded(compat)
			if got := cmp.Or(typ.Kind, source.Text); got != want || typ.Digits != tt.digits {
				t.Errorf("%+v, compat %t: got %q, %t; want %q, %t", tt.typ, compat, got, typ.Digits, want, tt.digits)
			}
		}
	}
	if got := resultType("OCIBlobLocator", 0, 255).Kind; got != source.Binary {
		t.Errorf("a BLOB of a query: got %q", got)
	}
}

// TestAQueryWithTwoColumnsOfOneNameIsNotDescribed checks that the error is not temporary: the next run cannot
// describe the query either.
func TestAQueryWithTwoColumnsOfOneNameIsNotDescribed(t *testing.T) {
	t.Parallel()
	r := newRun(t, nil, ruled("SELECT 1 FROM orders"), append(catalogueOf(), answer{to: "WHERE 1 = 0", err: oraError(codeTwoColumns)})...)
	parts := r.parts(t)
	r.Release(t.Context(), r.first)
	_, err := parts[0].Describe(t.Context())
	if err == nil || !strings.Contains(err.Error(), "known only when it runs") || errors.Is(err, source.ErrTemporary) || errors.Is(err, source.ErrUnreachable) {
		t.Errorf("got %v", err)
	}
}
