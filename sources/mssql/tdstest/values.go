package tdstest

import (
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

// appendRow appends a row: as NBCROW, which begins with a bit for each NULL, if it has any.
func appendRow(b []byte, columns []column, row []any) ([]byte, error) {
	if len(row) != len(columns) {
		return nil, fmt.Errorf("a row has %d values for %d columns", len(row), len(columns))
	}
	if slices.Contains(row, nil) {
		bits := make([]byte, (len(columns)+7)/8)
		for i := range columns {
			if row[i] == nil {
				bits[i/8] |= 1 << (i % 8)
			}
		}
		b = append(append(b, tokenNBCRow), bits...)
	} else {
		b = append(b, tokenRow)
	}
	for i, c := range columns {
		var err error
		switch {
		case row[i] == nil && !c.Nullable:
			err = errors.New("a column that is not nullable has a NULL")
		case row[i] != nil:
			b, err = appendValue(b, c, row[i])
		}
		if err != nil {
			return nil, fmt.Errorf("column %q: %w", c.Name, err)
		}
	}
	return b, nil
}

// appendValue appends a value that is not NULL, with its length.
func appendValue(b []byte, c column, v any) ([]byte, error) {
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

// encodeBytes encodes character and binary types.
func encodeBytes(c column, v any) (raw []byte, err error) {
	text, isText := v.(string)
	switch c.Type {
	case NChar, NVarChar, NText, XML:
		raw = appendUCS2(nil, text)
	case Char, VarChar, Text:
		raw, err = encodeLatin1(text)
	default:
		raw, isText = v.([]byte)
	}
	if !isText {
		return nil, fmt.Errorf("the column does not take a %T", v)
	}
	return pad(c, raw), err
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

// encodeLatin1 encodes the characters that have the same number in code page 1252 and in Unicode.
func encodeLatin1(s string) (out []byte, err error) {
	for _, r := range s {
		if r > 0xff || r >= 0x80 && r < 0xa0 {
			return nil, fmt.Errorf("the character %q is not in the supported part of code page 1252: use nchar or nvarchar", r)
		}
		out = append(out, byte(r))
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
	digits, fraction, _ := strings.Cut(text, ".")
	if len(fraction) > scale {
		return nil, fmt.Errorf("%s has more than %d digits after its point", text, scale)
	}
	n, ok := new(big.Int).SetString(digits+fraction+strings.Repeat("0", scale-len(fraction)), 10)
	if !ok {
		return nil, fmt.Errorf("%q is no decimal number", text)
	}
	return n, nil
}

// encodeGUID encodes a GUID, of whose text the first three groups are sent little-endian.
func encodeGUID(v any) ([]byte, error) {
	text, _ := v.(string)
	raw, err := hex.DecodeString(strings.ReplaceAll(text, "-", ""))
	if err != nil || len(raw) != 16 {
		return nil, fmt.Errorf("a uniqueidentifier is a string of 32 hexadecimal digits, not %v", v)
	}
	for _, group := range [][]byte{raw[:4], raw[4:6], raw[6:8]} {
		slices.Reverse(group)
	}
	return raw, nil
}
