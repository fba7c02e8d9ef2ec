package embedded

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"strings"
)

// parsing is the error of a rejected document; i is the position that it names.
func (f *fitter) parsing(i int, format string, args ...any) *apiError {
	line := bytes.Count(f.src[:i], []byte{'\n'})
	column := i - bytes.LastIndexByte(f.src[:i], '\n')
	return fail(http.StatusBadRequest, "document_parsing_exception", "[%d:%d] %s", line+1, column, fmt.Sprintf(format, args...))
}

func (f *fitter) tooMany(i, added int) *apiError {
	return f.illegal(i, fmt.Sprintf("Limit of total fields [%d] has been exceeded while adding new fields [%d]", f.sh.limit, added))
}

func (f *fitter) illegal(i int, reason string) *apiError {
	e := f.parsing(i, "failed to parse: %s", reason)
	e.inner = &cause{Type: "illegal_argument_exception", Reason: reason}
	return e
}

// refused is the error of a document rejected because of a field's value.
func (f *fitter) refused(at *field, raw []byte, i int, why *cause) *apiError {
	e := f.parsing(i, "failed to parse field [%s] of type [%s] in document with id '%s'. Preview of field's value: '%s'", at.path, typeOf(at.def), f.id, preview(nil, raw))
	e.inner = why
	return e
}

// preview writes a value as Java prints it.
func preview(b, raw []byte) []byte {
	n := 0
	next := func() {
		if n++; n > 1 {
			b = append(b, ", "...)
		}
	}
	switch raw[0] {
	case '{':
		b = append(b, '{')
		fields(raw, func(key, value []byte) bool {
			next()
			b = preview(append(append(b, key...), '='), value)
			return true
		})
		return append(b, '}')
	case '[':
		b = append(b, '[')
		elements(raw, func(value []byte) bool {
			next()
			b = preview(b, value)
			return true
		})
		return append(b, ']')
	}
	return append(b, scalar(raw)...)
}

// objectInField checks an object in a field for scalars. raw is the object, which ends at end in
// the document.
func (f *fitter) objectInField(at *field, raw []byte, i, end int, inArray bool) {
	last := end - 1 // of the value: Elasticsearch names the position of its last token
	if f.src[last] != '}' && f.src[last] != ']' {
		last = i
	}
	switch t := at.typ; {
	case t.kind == kindDate && at.lenient:
		f.ignore(at.path)
	case t.name == "binary" && inArray:
		f.err = unknown("an object in an array of the binary field [%s]", at.path)
	case t.name == "binary":
		f.err = illegal("Malformed content, found extra data after parsing: END_OBJECT")
	case t.name == "metadata":
		f.err = f.refused(at, raw, last, metadataCause(at.path))
	case t.object == noText:
		f.err = f.refused(at, raw, last, &cause{Type: "illegal_argument_exception", Reason: fmt.Sprintf(noText, i+1)})
	default:
		f.err = f.refused(at, raw, last, &cause{Type: "illegal_argument_exception", Reason: t.object})
	}
}

// scalarInObject refuses a scalar where an object is.
func (f *fitter) scalarInObject(at *field, i, name int) {
	leaf := "null"
	if name >= 0 {
		leaf = at.path[strings.LastIndexByte(at.path, '.')+1:]
	}
	f.err = f.parsing(i, "object mapping for [%s] tried to parse field [%s] as object, but found a concrete value", at.path, leaf)
}

func metadataCause(name string) *cause {
	return &cause{Type: "document_parsing_exception", Reason: "Field [" + name + "] is a metadata field and cannot be added inside a document. Use the index API request parameters."}
}

// malformedCause describes what is wrong with a value, if Elasticsearch does.
func malformedCause(at *field, raw []byte) *cause {
	typ := at.typ.name
	text := string(scalar(raw))
	reason := fmt.Sprintf("For input string: %q", text)
	switch typ {
	case "metadata":
		return metadataCause(at.path)
	case "long":
		if d, ok := parseDecimal([]byte(text)); ok && raw[0] == '"' && !d.zero() {
			reason = fmt.Sprintf("Value [%s] is out of range for a long", text)
		}
	case "double", "float":
		if n, _ := parseFloat(raw, 64); n != n || n-n != 0 { // not finite
			reason = fmt.Sprintf("[%s] supports only finite values, but got [%s]", typ, text)
		}
	case "boolean":
		reason = fmt.Sprintf("Failed to parse value [%s] as only [true] or [false] are allowed.", text)
	case "date":
		reason = fmt.Sprintf("failed to parse date field [%s] with format [%s]", text, dateFormat)
		if text == "" {
			reason = "cannot parse empty datetime"
		}
	case "ip":
		reason = fmt.Sprintf("'%s' is not an IP string literal.", text)
	}
	return &cause{Type: "illegal_argument_exception", Reason: reason}
}

func asAPIError(err error) *apiError {
	if e, known := errors.AsType[*apiError](err); known {
		return e
	}
	return storeFailed(err)
}
