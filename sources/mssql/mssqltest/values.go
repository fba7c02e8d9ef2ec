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
	after    *failure // another error after it
}

func (f *failure) Error() string { return fmt.Sprintf("%s (error %d)", f.text, f.number) }

func failed(number int32, class uint8, format string, args ...any) error {
	return &failure{number: number, class: class, text: fmt.Sprintf(format, args...)}
}

// compare compares two values that are not NULL, both in the stronger type.
func compare(a, b value) (int, error) {
	t := stronger(a.typ, b.typ)
	if t.base == "sql_variant" {
		return compareVariants(a, b)
	}
	if a.typ.isText() && b.typ.isText() && a.typ.collation == "" {
		t.collation = b.typ.collation
	} else if a.typ.isText() {
		t.collation = a.typ.collation
	}
	a, err := convert(a, t, 0)
	if err != nil {
		return 0, err
	}
	if b, err = convert(b, t, 0); err != nil {
		return 0, err
	}
	switch {
	case t.base == "uniqueidentifier":
		return compareGUIDs(a.v.(string), b.v.(string)), nil
	case t.isText():
		return compareTexts(t, a.v.(string), b.v.(string)), nil
	}
	switch x := a.v.(type) {
	case int64:
		return cmp.Compare(x, b.v.(int64)), nil
	case bool:
		return cmp.Compare(bit(x), bit(b.v.(bool))), nil
	case float64:
		return cmp.Compare(x, b.v.(float64)), nil
	case *big.Rat:
		return x.Cmp(b.v.(*big.Rat)), nil
	case time.Time:
		return x.Compare(b.v.(time.Time)), nil
	case []byte:
		return compareBytes(x, b.v.([]byte)), nil
	}
	return 0, failed(305, 16, "the %s data type cannot be compared", t.base)
}

// compareVariants compares values of any type: values of different families by their families, see
// https://learn.microsoft.com/sql/t-sql/data-types/sql-variant-transact-sql.
func compareVariants(a, b value) (int, error) {
	for _, v := range []*value{&a, &b} {
		if inner, ok := v.v.(value); ok {
			*v = inner
		}
	}
	if c := cmp.Compare(a.typ.family(), b.typ.family()); c != 0 {
		return c, nil
	}
	return compare(a, b)
}

// family is the position of a type among those that a sql_variant can hold: texts come before numbers.
func (t typ) family() int {
	if t.isText() {
		return 2
	}
	return 3
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
	if !t.isBinaryOrder() {
		return cmp.Compare(strings.ToLower(a), strings.ToLower(b))
	}
	return cmp.Compare(a, b) // UTF-8 sorts by code points, as BIN2 does
}
