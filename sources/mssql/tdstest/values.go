package tdstest

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"math/big"
	"reflect"
	"slices"
	"strings"
	"time"
)

// Variant is a value of a sql_variant column: Value in the type of Column. Only the type, size, precision and scale
// of Column count.
type Variant struct {
	Column Column
	Value  any
}

// appendRow appends a row: as ROW, or as NBCROW if the NULL bits take less space than the values that they replace.
func appendRow(b []byte, columns []column, row []any) ([]byte, error) {
	if len(row) != len(columns) {
		return nil, fmt.Errorf("a row has %d values for %d columns", len(row), len(columns))
	}
	saved := 0
	bits := make([]byte, (len(columns)+7)/8)
	for i, c := range columns {
		if row[i] == nil {
			bits[i/8] |= 1 << (i % 8)
			saved += len(appendNull(nil, c))
		}
	}
	compressed := saved > len(bits)
	if compressed {
		b = append(append(b, tokenNBCRow), bits...)
	} else {
		b = append(b, tokenRow)
	}
	for i, c := range columns {
		switch {
		case row[i] == nil && !c.Nullable:
			return nil, fmt.Errorf("column %q: a column that is not nullable has a NULL", c.Name)
		case row[i] == nil && compressed:
		case row[i] == nil:
			b = appendNull(b, c)
		default:
			var err error
			if b, err = appendValue(b, c, row[i]); err != nil {
				return nil, fmt.Errorf("column %q: %w", c.Name, err)
			}
		}
	}
	return b, nil
}

// appendNull appends NULL in the form of ROW.
func appendNull(b []byte, c column) []byte {
	switch c.form {
	case byWord:
		return appendUint(b, unlimited, 2)
	case chunks:
		return appendUint(b, plpNull, 8)
	case variant:
		return appendUint(b, 0, 4)
	default:
		return append(b, 0)
	}
}

// appendValue appends a value that is not NULL, with its length.
func appendValue(b []byte, c column, v any) ([]byte, error) {
	if c.form == variant {
		return appendVariant(b, v)
	}
	raw, err := encode(c, v)
	if err != nil {
		return nil, err
	}
	size := uint64(len(raw))
	switch c.form {
	case byByte:
		b = append(b, byte(size))
	case byWord:
		if len(raw) > c.limit() {
			return nil, fmt.Errorf("a value of %d bytes does not fit into %d", len(raw), c.limit())
		}
		b = appendUint(b, size, 2)
	case chunks:
		b = appendUint(slices.Grow(b, len(raw)+len(raw)/plpChunk*4+16), size, 8)
		for piece := range slices.Chunk(raw, plpChunk) {
			b = append(appendUint(b, uint64(len(piece)), 4), piece...)
		}
		return appendUint(b, 0, 4), nil
	case byPointer:
		b = append(append(b, 16), make([]byte, 16+8)...) // the pointer, and a timestamp
		b = appendUint(b, size, 4)
	}
	return append(b, raw...), nil
}

// appendVariant is a sql_variant: length, type, the type's properties, value.
func appendVariant(b []byte, v any) ([]byte, error) {
	value, ok := v.(Variant)
	if !ok {
		return nil, fmt.Errorf("a sql_variant needs a Variant, not a %T", v)
	}
	c, ok := newColumn(value.Column)
	if !ok || c.Nullable || c.form > byWord || c.Type == RowVersion {
		return nil, errors.New("a sql_variant holds neither long types nor NULL")
	}
	var properties []byte
	switch c.id {
	case idDecimalN, idNumericN:
		properties = []byte{byte(c.Precision), byte(c.Scale)}
	case idTime, idDateTime2, idDateTimeOffset:
		properties = []byte{byte(c.Scale)}
	case idBigChar, idBigVarChar, idNChar, idNVarChar:
		properties = appendUint(c.Collation[:], uint64(c.limit()), 2)
	case idBigBinary, idBigVarBinary:
		properties = appendUint(nil, uint64(c.limit()), 2)
	}
	raw, err := encode(c, value.Value)
	if err != nil {
		return nil, err
	}
	b = appendUint(b, uint64(2+len(properties)+len(raw)), 4)
	b = append(b, c.id, byte(len(properties)))
	return append(append(b, properties...), raw...), nil
}

// encode is a value without its length.
func encode(c column, v any) ([]byte, error) {
	switch c.Type {
	case TinyInt, SmallInt, Int, BigInt, Bit:
		return encodeInteger(c, v)
	case Real, Float:
		return encodeFloat(c, v)
	case Decimal, Numeric, Money, SmallMoney:
		return encodeDecimal(c, v)
	case Date, Time, DateTime2, DateTimeOffset, DateTime, SmallDateTime:
		t, ok := v.(time.Time)
		if !ok {
			return nil, fmt.Errorf("a time needs a time.Time, not a %T", v)
		}
		return encodeTime(c, t)
	case UniqueIdentifier:
		return encodeGUID(v)
	default:
		return encodeBytes(c, v)
	}
}

func encodeInteger(c column, v any) ([]byte, error) {
	var n int64
	switch rv := reflect.ValueOf(v); {
	case c.Type == Bit:
		on, ok := v.(bool)
		if !ok {
			return nil, fmt.Errorf("a bit needs a bool, not a %T", v)
		}
		if on {
			n = 1
		}
	case rv.CanInt():
		n = rv.Int()
	default:
		return nil, fmt.Errorf("an integer column does not take a %T", v)
	}
	raw := appendUint(nil, uint64(n), c.size)
	if integer(raw) != n {
		return nil, fmt.Errorf("%d does not fit into an integer of %d bytes", n, c.size)
	}
	return raw, nil
}

func encodeFloat(c column, v any) ([]byte, error) {
	rv := reflect.ValueOf(v)
	switch {
	case !rv.CanFloat():
		return nil, fmt.Errorf("a float column does not take a %T", v)
	case c.Type == Real:
		return appendUint(nil, uint64(math.Float32bits(float32(rv.Float()))), 4), nil
	default:
		return appendUint(nil, math.Float64bits(rv.Float()), 8), nil
	}
}

// encodeBytes encodes character and binary types. A []byte is sent unchanged, in the code page or the UTF-16 of the
// column; a string is encoded.
func encodeBytes(c column, v any) ([]byte, error) {
	raw, ok := v.([]byte)
	if s, isText := v.(string); isText {
		var err error
		switch c.Type {
		case NChar, NVarChar, NText, XML:
			raw, ok = appendUCS2(nil, s), true
		case Char, VarChar, Text:
			raw, err = encodeCodePage(c.Collation, s)
			ok = true
		}
		if err != nil {
			return nil, err
		}
	}
	if !ok {
		return nil, fmt.Errorf("the column does not take a %T", v)
	}
	return pad(c, raw), nil
}

// pad fills char, nchar and binary up to their declared size, as the server does.
func pad(c column, raw []byte) []byte {
	filling := map[Type]string{Char: " ", NChar: " \x00", Binary: "\x00"}[c.Type]
	missing := c.limit() - len(raw)
	if filling == "" || c.Size == 0 || missing <= 0 {
		return raw
	}
	return append(slices.Clone(raw), strings.Repeat(filling, missing/len(filling))...)
}

// codePage1252 are the characters of 0x80 to 0x9f; unassigned ones are spaces.
const codePage1252 = "€ ‚ƒ„…†‡ˆ‰Š‹Œ Ž  ‘’“”•–—˜™š›œ žŸ"

// isLatin1 reports whether single-byte characters are in code page 1252: those of English are, unless they are UTF-8,
// which the third bit of the second-last byte says.
func isLatin1(collation [collationSize]byte) bool {
	latin := latin1()
	return collation[0] == latin[0] && collation[1] == latin[1] && collation[3]&0x04 == 0
}

func encodeCodePage(collation [collationSize]byte, s string) ([]byte, error) {
	if !isLatin1(collation) {
		return nil, errors.New("a text of another collation is given as []byte, in the code page of that")
	}
	high := []rune(codePage1252)
	out := make([]byte, 0, len(s))
	for _, r := range s {
		if r < 0x80 || r >= 0xa0 && r <= 0xff {
			out = append(out, byte(r))
			continue
		}
		switch at := slices.Index(high, r); {
		case at >= 0:
			out = append(out, byte(0x80+at))
		default:
			return nil, fmt.Errorf("the character %q is not in the code page 1252: use nchar or nvarchar", r)
		}
	}
	return out, nil
}

// decimalSize is the number of bytes for a sign and so many digits.
func decimalSize(precision int) int {
	switch {
	case precision <= 9:
		return 5
	case precision <= 19:
		return 9
	case precision <= 28:
		return 13
	default:
		return 17
	}
}

func encodeDecimal(c column, v any) ([]byte, error) {
	text, ok := v.(string)
	if !ok {
		return nil, fmt.Errorf("a decimal or money column takes its digits as a string, not a %T", v)
	}
	scale := c.Scale
	if c.Type == Money || c.Type == SmallMoney {
		scale = moneyScale
	}
	n, err := unscaled(text, scale)
	if err != nil {
		return nil, err
	}
	switch c.Type {
	case SmallMoney:
		if !n.IsInt64() || n.Int64() != int64(int32(n.Int64())) {
			return nil, fmt.Errorf("%s does not fit into smallmoney", text)
		}
		return appendUint(nil, uint64(n.Int64()), 4), nil
	case Money:
		if !n.IsInt64() {
			return nil, fmt.Errorf("%s does not fit into money", text)
		}
		u := uint64(n.Int64())
		return appendUint(appendUint(nil, u>>32, 4), u, 4), nil
	}
	raw := make([]byte, decimalSize(c.Precision))
	if digits := new(big.Int).Abs(n).String(); len(digits) > c.Precision {
		return nil, fmt.Errorf("%s has more than %d digits", text, c.Precision)
	}
	n.FillBytes(raw[1:]) // the absolute value
	slices.Reverse(raw[1:])
	if n.Sign() >= 0 {
		raw[0] = 1
	}
	return raw, nil
}

// unscaled is a decimal text without its point; a fraction that is shorter than scale gets zeros.
func unscaled(text string, scale int) (*big.Int, error) {
	whole, fraction, _ := strings.Cut(text, ".")
	if len(fraction) > scale {
		return nil, fmt.Errorf("%s has more than %d digits after its point", text, scale)
	}
	n, ok := new(big.Int).SetString(whole+fraction+strings.Repeat("0", scale-len(fraction)), 10)
	if !ok {
		return nil, fmt.Errorf("%q is no decimal number", text)
	}
	return n, nil
}

func decimalText(n *big.Int, scale int) string {
	sign := ""
	if n.Sign() < 0 {
		sign = "-"
	}
	digits := new(big.Int).Abs(n).String()
	if scale == 0 {
		return sign + digits
	}
	digits = strings.Repeat("0", max(0, scale+1-len(digits))) + digits
	point := len(digits) - scale
	return sign + digits[:point] + "." + digits[point:]
}

// decimalBig reads a sign, where 0 is minus, and a little-endian number.
func decimalBig(b []byte) *big.Int {
	raw := slices.Clone(b[1:])
	slices.Reverse(raw)
	n := new(big.Int).SetBytes(raw)
	if b[0] == 0 {
		n.Neg(n)
	}
	return n
}

func int32Big(b []byte) *big.Int { return big.NewInt(integer(b)) }

// moneyBig reads money, whose high half comes first.
func moneyBig(b []byte) *big.Int {
	high, low := binary.LittleEndian.Uint32(b), binary.LittleEndian.Uint32(b[4:])
	return big.NewInt(int64(uint64(high)<<32 | uint64(low)))
}

// guidOrder are the positions of a GUID's bytes in its text: the first three groups are little-endian.
func guidOrder() [16]int { return [16]int{3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15} }

func encodeGUID(v any) ([]byte, error) {
	text, _ := v.(string)
	digits, err := hex.DecodeString(strings.ReplaceAll(text, "-", ""))
	if err != nil || len(digits) != 16 {
		return nil, fmt.Errorf("a uniqueidentifier is a string of 32 hexadecimal digits, not %v", v)
	}
	raw := make([]byte, 16)
	for i, at := range guidOrder() {
		raw[i] = digits[at]
	}
	return raw, nil
}

func guidText(b []byte) string {
	digits := make([]byte, 16)
	for i, at := range guidOrder() {
		digits[at] = b[i]
	}
	return fmt.Sprintf("%x-%x-%x-%x-%x", digits[:4], digits[4:6], digits[6:8], digits[8:10], digits[10:])
}
