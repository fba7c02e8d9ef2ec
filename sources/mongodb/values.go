package mongodb

import (
	"encoding/hex"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/elastic-ingest/elastic-ingest/engine/document"
)

// deepest is how deep objects may be nested: one level more, and Elasticsearch rejects a document unless
// index.mapping.depth.limit was raised. Deeper values are written as JSON text.
const deepest = 19

// value converts a value of BSON to one of a document. skip reports that it is left out.
func (c *converter) value(e element, depth int) (v document.Value, skip bool, err error) {
	switch e.kind {
	case bson.TypeString, bson.TypeSymbol, bson.TypeJavaScript:
		return document.String(text(e.value)), false, nil
	case bson.TypeInt32:
		return document.Int(int64(int32At(e.value))), false, nil
	case bson.TypeInt64:
		return document.Int(int64At(e.value)), false, nil
	case bson.TypeDouble:
		return c.double(math.Float64frombits(uint64At(e.value))), false, nil
	case bson.TypeBoolean:
		return document.Bool(e.value[0] != 0), false, nil
	case bson.TypeObjectID:
		return document.String(hex.EncodeToString([]byte(e.value))), false, nil
	case bson.TypeDateTime:
		v, reason := c.forms.date(int64At(e.value))
		c.note(reason)
		return v, false, nil
	case bson.TypeEmbeddedDocument, bson.TypeArray:
		v, err := c.nested(e, depth)
		return v, false, err
	case bson.TypeBinary:
		v, skip := c.binary(e.value)
		return v, skip, nil
	case bson.TypeNull, bson.TypeUndefined:
		return document.Null(), false, nil
	}
	v, err = c.rare(e, depth)
	return v, false, err
}

// rare converts a value of a rare type.
func (c *converter) rare(e element, depth int) (document.Value, error) {
	switch e.kind {
	case bson.TypeDecimal128:
		return c.decimal(decimalOf(e.value)), nil
	case bson.TypeTimestamp:
		return c.timestamp(int64(uint32(int32At(e.value[4:])))), nil
	case bson.TypeRegex:
		pattern, options, _ := strings.Cut(e.value, "\x00")
		return document.String("/" + pattern + "/" + strings.TrimSuffix(options, "\x00")), nil
	case bson.TypeMinKey:
		return document.String("$minKey"), nil
	case bson.TypeMaxKey:
		return document.String("$maxKey"), nil
	case bson.TypeCodeWithScope:
		// The total length, the code, the scope; a document has no place for the scope.
		size := sizeOf(bson.TypeString, e.value[4:])
		if size < 0 || size > len(e.value)-4 {
			return document.Null(), errMalformed
		}
		return document.String(text(e.value[4 : 4+size])), nil
	case bson.TypeDBPointer:
		fields := c.fields.take(2)
		fields[0] = document.Field{Name: "$ref", Value: document.String(text(e.value[:len(e.value)-12]))}
		fields[1] = document.Field{Name: "$id", Value: document.String(hex.EncodeToString([]byte(e.value[len(e.value)-12:])))}
		return document.Object(fields), nil
	}
	return document.Null(), fmt.Errorf("at depth %d: a value of the unknown type 0x%02x: %w", depth, byte(e.kind), errMalformed)
}

func (c *converter) double(f float64) document.Value {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		c.note("a number that JSON does not have: " + strconv.FormatFloat(f, 'g', -1, 64))
		return document.Null()
	}
	return document.Float(f)
}

func (c *converter) decimal(d bson.Decimal128) document.Value {
	text := d.String()
	if d.IsNaN() || d.IsInf() != 0 {
		c.note("a number that JSON does not have: " + text)
		return document.Null()
	}
	if !c.forms.compat {
		return document.Decimal(text)
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil { // too large for a float
		return document.String(text)
	}
	return document.Float(f)
}

// timestamp is the instant of the server's internal timestamp type; a date has no place for its
// counter within a second.
func (c *converter) timestamp(seconds int64) document.Value {
	t := time.Unix(seconds, 0).UTC()
	if c.forms.compat {
		return document.String(isoNaive(t))
	}
	return document.Time(t)
}

// binary is base64, except for UUIDs and vectors. Encrypted values are left out.
func (c *converter) binary(value string) (v document.Value, skip bool) {
	subtype, data := binaryOf(value)
	switch {
	case subtype == bson.TypeBinaryUUID && len(data) == 16:
		return document.String(uuidText(data, straight)), false
	case subtype == bson.TypeBinaryUUIDOld && len(data) == 16:
		if c.forms.uuid != nil {
			return document.String(uuidText(data, c.forms.uuid)), false
		}
		c.note("a UUID of the old subtype, whose order of bytes is unknown: set uuidRepresentation in host")
	case subtype == bson.TypeBinaryVector:
		if v, ok := c.vector(data); ok {
			return v, false
		}
	case subtype == bson.TypeBinaryEncrypted:
		c.note("left out: it is encrypted")
		return v, true
	case subtype == bson.TypeBinarySensitive:
		c.note("left out: it is marked as sensitive")
		return v, true
	}
	return document.Bytes([]byte(data)), false
}

// The kinds of vectors, see https://github.com/mongodb/specifications/blob/master/source/bson-binary-vector/bson-binary-vector.md.
const (
	vectorInt8   = 0x03
	vectorFloat  = 0x27
	vectorPacked = 0x10
)

// vector is a list of numbers; ok is false if the bytes are invalid.
func (c *converter) vector(data string) (v document.Value, ok bool) {
	if len(data) < 2 {
		return v, false
	}
	kind, padding, bytes := data[0], data[1], data[2:]
	var values []document.Value
	switch {
	case kind == vectorInt8 && padding == 0:
		values = c.values.take(len(bytes))
		for i := range values {
			values[i] = document.Int(int64(int8(bytes[i])))
		}
	case kind == vectorFloat && padding == 0 && len(bytes)%4 == 0:
		values = c.values.take(len(bytes) / 4)
		for i := range values {
			f := math.Float32frombits(uint32(int32At(bytes[4*i:])))
			// The shortest text of the 32-bit float, not that of the equal 64-bit float.
			values[i] = document.Float(float64(f))
			if short, err := strconv.ParseFloat(strconv.FormatFloat(float64(f), 'g', -1, 32), 64); err == nil {
				values[i] = document.Float(short)
			}
		}
	case kind == vectorPacked && padding < 8 && (len(bytes) > 0 || padding == 0):
		values = c.values.take(8*len(bytes) - int(padding))
		for i := range values {
			values[i] = document.Int(int64(bytes[i/8] >> (7 - i%8) & 1))
		}
	default:
		return v, false
	}
	return document.List(values), true
}
