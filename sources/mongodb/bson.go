package mongodb

import (
	"errors"
	"strings"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// The bytes of BSON, see https://bsonspec.org/spec.html. A document is read as text, a copy of the driver's
// memory, so that its names and texts are parts of that one copy.

var errMalformed = errors.New("it is not valid BSON")

// element is one member of a document or an array.
type element struct {
	kind  bson.Type
	name  string
	value string // its bytes
}

// members are the bytes between the length of a document and its end.
func members(document string) (string, error) {
	if len(document) < 5 || int(int32At(document)) != len(document) || document[len(document)-1] != 0 {
		return "", errMalformed
	}
	return document[4 : len(document)-1], nil
}

// cutElement removes the first element from members.
func cutElement(members string) (e element, rest string, err error) {
	end := strings.IndexByte(members[1:], 0)
	if end < 0 {
		return e, "", errMalformed
	}
	e.kind, e.name = bson.Type(members[0]), members[1:1+end]
	rest = members[end+2:]
	size := sizeOf(e.kind, rest)
	if size < 0 || size > len(rest) {
		return e, "", errMalformed
	}
	e.value = rest[:size]
	return e, rest[size:], nil
}

// sizeOf is the size in bytes of the value at the beginning of rest; -1 if it is invalid.
func sizeOf(kind bson.Type, rest string) int {
	switch kind {
	case bson.TypeNull, bson.TypeUndefined, bson.TypeMinKey, bson.TypeMaxKey:
		return 0
	case bson.TypeBoolean:
		return 1
	case bson.TypeInt32:
		return 4
	case bson.TypeDouble, bson.TypeDateTime, bson.TypeTimestamp, bson.TypeInt64:
		return 8
	case bson.TypeObjectID:
		return 12
	case bson.TypeDecimal128:
		return 16
	case bson.TypeRegex:
		pattern := strings.IndexByte(rest, 0)
		if pattern < 0 {
			return -1
		}
		options := strings.IndexByte(rest[pattern+1:], 0)
		if options < 0 {
			return -1
		}
		return pattern + options + 2
	}
	if len(rest) < 4 {
		return -1
	}
	size := int(int32At(rest))
	least := 0
	switch kind {
	case bson.TypeEmbeddedDocument, bson.TypeArray, bson.TypeCodeWithScope:
		least = 5
	case bson.TypeString, bson.TypeJavaScript, bson.TypeSymbol:
		size, least = size+4, 5
	case bson.TypeBinary:
		size, least = size+5, 5
	case bson.TypeDBPointer:
		size, least = size+16, 17
	default:
		return -1
	}
	if size < least {
		return -1
	}
	return size
}

// text is the value of a string, which follows its length and ends with a NUL.
func text(value string) string {
	if len(value) < 5 {
		return ""
	}
	return value[4 : len(value)-1]
}

// binaryOf is the value of a binary. In the old subtype 2 a second length precedes it.
func binaryOf(value string) (subtype byte, data string) {
	subtype, data = value[4], value[5:]
	if subtype == bson.TypeBinaryBinaryOld && len(data) >= 4 {
		data = data[4:]
	}
	return subtype, data
}

func int32At(s string) int32 {
	return int32(uint32(s[0]) | uint32(s[1])<<8 | uint32(s[2])<<16 | uint32(s[3])<<24)
}

func uint64At(s string) uint64 {
	return uint64(uint32(int32At(s))) | uint64(uint32(int32At(s[4:])))<<32
}

func int64At(s string) int64 { return int64(uint64At(s)) }

// decimalOf is the text of a 128-bit decimal.
func decimalOf(value string) bson.Decimal128 {
	return bson.NewDecimal128(uint64At(value[8:]), uint64At(value))
}
