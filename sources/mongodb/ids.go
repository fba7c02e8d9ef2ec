package mongodb

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqlread"
)

// The form of an _id as an id. It is the form of Elastic's own connector, which is that of
// Python, so that an index that it filled can be taken over.

// appendIDText appends the id of an _id of any type.
func appendIDText(dst []byte, e element) ([]byte, error) {
	switch e.kind {
	case bson.TypeString, bson.TypeSymbol, bson.TypeJavaScript:
		return append(dst, text(e.value)...), nil
	case bson.TypeBinary:
		return appendBinaryID(dst, e.value), nil
	}
	return appendPython(dst, e)
}

// appendBinaryID appends a UUID in its text form, and other bytes as base64.
func appendBinaryID(dst []byte, value string) []byte {
	subtype, data := binaryOf(value)
	if subtype == bson.TypeBinaryUUID && len(data) == 16 {
		return append(dst, uuidText(data, straight)...)
	}
	return base64.StdEncoding.AppendEncode(dst, []byte(data))
}

// appendPython appends a value as Python writes it.
func appendPython(dst []byte, e element) ([]byte, error) {
	switch e.kind {
	case bson.TypeObjectID:
		return hex.AppendEncode(dst, []byte(e.value)), nil
	case bson.TypeInt32:
		return strconv.AppendInt(dst, int64(int32At(e.value)), 10), nil
	case bson.TypeInt64:
		return strconv.AppendInt(dst, int64At(e.value), 10), nil
	case bson.TypeDouble:
		return sqlread.AppendFloat(dst, math.Float64frombits(uint64At(e.value))), nil
	case bson.TypeDecimal128:
		return append(dst, decimalOf(e.value).String()...), nil
	case bson.TypeBoolean:
		if e.value[0] != 0 {
			return append(dst, "True"...), nil
		}
		return append(dst, "False"...), nil
	case bson.TypeDateTime:
		return append(dst, isoNaive(time.UnixMilli(int64At(e.value)).UTC())...), nil
	case bson.TypeNull, bson.TypeUndefined:
		return append(dst, "None"...), nil
	case bson.TypeTimestamp:
		return fmt.Appendf(dst, "Timestamp(%d, %d)", uint32(int32At(e.value[4:])), uint32(int32At(e.value))), nil
	case bson.TypeMinKey:
		return append(dst, "$minKey"...), nil
	case bson.TypeMaxKey:
		return append(dst, "$maxKey"...), nil
	case bson.TypeEmbeddedDocument, bson.TypeArray:
		return appendMembers(dst, e)
	case bson.TypeDBPointer:
		dst = append(dst, "{'$ref': "...)
		dst = appendQuoted(dst, text(e.value[:len(e.value)-12]))
		dst = append(dst, ", '$id': '"...)
		return append(hex.AppendEncode(dst, []byte(e.value[len(e.value)-12:])), "'}"...), nil
	}
	// A regular expression, which cannot be an _id, or code with a scope: its bytes distinguish it from others.
	return base64.StdEncoding.AppendEncode(dst, []byte(e.value)), nil
}

// appendMembers appends a document or an array.
func appendMembers(dst []byte, e element) ([]byte, error) {
	list, err := members(e.value)
	if err != nil {
		return dst, err
	}
	begin, end := byte('{'), byte('}')
	if e.kind == bson.TypeArray {
		begin, end = '[', ']'
	}
	dst = append(dst, begin)
	for rest := list; rest != ""; {
		var m element
		if m, rest, err = cutElement(rest); err != nil {
			return dst, err
		}
		if e.kind == bson.TypeEmbeddedDocument {
			dst = append(appendQuoted(dst, m.name), ": "...)
		}
		if dst, err = appendMember(dst, m); err != nil {
			return dst, err
		}
		if rest != "" {
			dst = append(dst, ", "...)
		}
	}
	return append(dst, end), nil
}

// appendMember appends a nested value: text, and values converted to text, in quotes.
func appendMember(dst []byte, m element) ([]byte, error) {
	switch m.kind {
	case bson.TypeString, bson.TypeSymbol, bson.TypeJavaScript:
		return appendQuoted(dst, text(m.value)), nil
	case bson.TypeBinary:
		return appendQuoted(dst, string(appendBinaryID(nil, m.value))), nil
	case bson.TypeObjectID, bson.TypeDateTime, bson.TypeMinKey, bson.TypeMaxKey:
		plain, err := appendPython(nil, m)
		return appendQuoted(dst, string(plain)), err
	}
	return appendPython(dst, m)
}

// appendQuoted appends text as Python's repr does.
func appendQuoted(dst []byte, s string) []byte {
	quote := '\''
	if strings.Contains(s, "'") && !strings.Contains(s, `"`) {
		quote = '"'
	}
	dst = append(dst, byte(quote))
	for _, r := range s {
		switch {
		case r == quote || r == '\\':
			dst = append(dst, '\\', byte(r))
		case r == '\n':
			dst = append(dst, `\n`...)
		case r == '\r':
			dst = append(dst, `\r`...)
		case r == '\t':
			dst = append(dst, `\t`...)
		case r < ' ' || r == 0x7F || r > 0x7F && r < 0x100 && !unicode.IsPrint(r):
			dst = fmt.Appendf(dst, `\x%02x`, r)
		case r > 0xFFFF && !unicode.IsPrint(r):
			dst = fmt.Appendf(dst, `\U%08x`, r)
		case r >= 0x100 && !unicode.IsPrint(r):
			dst = fmt.Appendf(dst, `\u%04x`, r)
		default:
			dst = append(dst, string(r)...)
		}
	}
	return append(dst, byte(quote))
}
