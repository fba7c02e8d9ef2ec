package mssqltest

import (
	"bytes"
	"cmp"
	"encoding/hex"
	"fmt"
	"math/big"
	"strings"
	"time"
)

// value is a value of a type. v is nil for NULL; otherwise an int64; a bool; a float64; a *big.Rat for decimals and
// money; a time.Time; a string for characters, for uniqueidentifier in lower case, and for types with methods;
// []byte; or for sql_variant the value in it.
type value struct {
	typ typ
	v   any
}

func (v value) null() bool { return v.v == nil }

// failure is an error of the server.
type failure struct {
	number   int32
	class    uint8
	text     string
	rollback bool     // the transaction has ended
	before   *failure // another error before it
}

func (f *failure) Error() string { return fmt.Sprintf("%s (error %d)", f.text, f.number) }

func failed(number int32, class uint8, format string, args ...any) error {
	return &failure{number: number, class: class, text: fmt.Sprintf(format, args...)}
}

// compare compares two values. NULL comes before all others; otherwise both are converted to the stronger type.
func (s *scope) compare(a, b value) int {
	if a.null() || b.null() {
		return cmp.Compare(bit(!a.null()), bit(!b.null()))
	}
	t := stronger(a.typ, b.typ)
	if t.base == "sql_variant" {
		return s.compareVariants(a, b)
	}
	if t.collation = a.typ.collation; t.collation == "" {
		t.collation = b.typ.collation
	}
	a, b = s.convert(a, t, 0), s.convert(b, t, 0)
	if s.err != nil {
		return 0
	}
	switch x := a.v.(type) {
	case string:
		if t.base == "uniqueidentifier" {
			return compareGUIDs(x, b.v.(string))
		}
		return compareTexts(t, x, b.v.(string))
	case int64:
		return cmp.Compare(x, b.v.(int64))
	case bool:
		return cmp.Compare(bit(x), bit(b.v.(bool)))
	case float64:
		return cmp.Compare(x, b.v.(float64))
	case *big.Rat:
		return x.Cmp(b.v.(*big.Rat))
	case time.Time:
		return x.Compare(b.v.(time.Time))
	}
	return compareBytes(a.v.([]byte), b.v.([]byte))
}

// compareVariants compares values of any type. Of different families, texts come before numbers, see
// https://learn.microsoft.com/sql/t-sql/data-types/sql-variant-transact-sql.
func (s *scope) compareVariants(a, b value) int {
	for _, v := range []*value{&a, &b} {
		if inner, ok := v.v.(value); ok {
			*v = inner
		}
	}
	if c := cmp.Compare(bit(!a.typ.is(texts)), bit(!b.typ.is(texts))); c != 0 {
		return c
	}
	return s.compare(a, b)
}

func bit(on bool) int64 {
	if on {
		return 1
	}
	return 0
}

// compareBytes ignores zeros at the end, as the server does.
func compareBytes(a, b []byte) int {
	return bytes.Compare(bytes.TrimRight(a, "\x00"), bytes.TrimRight(b, "\x00"))
}

// compareGUIDs compares the last six bytes first, then the two before them, and then the other three groups, the last
// one first, by their bytes in memory order. See
// https://learn.microsoft.com/sql/connect/ado-net/sql/compare-guid-uniqueidentifier-values.
func compareGUIDs(a, b string) int {
	x, y := guidBytes(a), guidBytes(b)
	for _, i := range []int{10, 11, 12, 13, 14, 15, 8, 9, 7, 6, 5, 4, 3, 2, 1, 0} {
		if c := cmp.Compare(x[i], y[i]); c != 0 {
			return c
		}
	}
	return 0
}

// guidBytes are the bytes in the order of the text.
func guidBytes(text string) (b [16]byte) {
	raw, _ := hex.DecodeString(strings.ReplaceAll(text, "-", "")) // convert checked it
	copy(b[:], raw)
	return b
}

// compareTexts ignores blanks at the end. Case-sensitive collations without a binary order are treated like
// case-insensitive ones: this program does not have the order of a language, and suits texts that differ in more than
// accents.
func compareTexts(t typ, a, b string) int {
	a, b = strings.TrimRight(a, " "), strings.TrimRight(b, " ")
	if !strings.Contains(t.collation, "_BIN") {
		return cmp.Compare(strings.ToLower(a), strings.ToLower(b))
	}
	return cmp.Compare(a, b) // UTF-8 sorts by code points, as BIN2 does
}
