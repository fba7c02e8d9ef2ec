package embedded

import (
	"bytes"
	"fmt"
)

// maxFlatDepth is how deep the objects in a flattened field may nest.
const maxFlatDepth = 20

// flattened checks the value of a field that accepts complete objects. It returns the end of the value.
func (f *fitter) flattened(at *field, i int) int {
	b := f.src
	switch b[i] {
	case '[':
		for i = skipSpace(b, i+1); b[i] != ']' && f.err == nil; i = skipSpace(b, i) {
			if b[i] == ',' {
				i++
				continue
			}
			i = f.flattened(at, i)
		}
		return i + 1
	case '{':
		return f.flatObject(at, i, "", 1)
	case 'n':
		return i + len("null")
	}
	end := endOfScalar(b, i)
	token := "VALUE_NUMBER"
	switch {
	case b[i] == '"':
		token = "VALUE_STRING"
	case isBoolean(b[i:]):
		token = "VALUE_BOOLEAN"
	}
	f.err = f.refused(at, b[i:end], i, &cause{Type: "parsing_exception", Reason: "Failed to parse object: expecting token of type [START_OBJECT] but found [" + token + "]"})
	return end
}

// flatObject walks over one object; above is the path of its keys.
func (f *fitter) flatObject(at *field, i int, above string, depth int) int {
	b := f.src
	if depth > maxFlatDepth {
		end := skipValue(b, i)
		f.flatRefused(at, i, end, end-1, fmt.Sprintf("The provided [flattened] field [%s] exceeds the maximum depth limit of [%d].", at.path, maxFlatDepth))
		return end
	}
	for i = skipSpace(b, i+1); b[i] != '}' && f.err == nil; i = skipSpace(b, i) {
		if b[i] == ',' {
			i++
			continue
		}
		key, value := member(b, i)
		i = value
		if bytes.IndexByte(key, 0) >= 0 {
			f.flatRefused(at, i, skipValue(b, i), i, fmt.Sprintf("Keys in [flattened] fields cannot contain the reserved character \\0. Offending key: [%s].", key))
			return i
		}
		i = f.flatValue(at, i, above+string(key), depth)
	}
	return i + 1
}

// flatValue walks over the value of a key in a flattened field. A value and its path are one term.
func (f *fitter) flatValue(at *field, i int, path string, depth int) int {
	b := f.src
	switch b[i] {
	case '{':
		return f.flatObject(at, i, path+".", depth+1)
	case '[':
		for i = skipSpace(b, i+1); b[i] != ']' && f.err == nil; i = skipSpace(b, i) {
			if b[i] == ',' {
				i++
				continue
			}
			i = f.flatValue(at, i, path, depth)
		}
		return i + 1
	}
	end := endOfScalar(b, i)
	text := scalar(b[i:end])
	switch {
	case b[i] == 'n', at.above > 0 && utf16Len(text) > at.above:
	case len(path)+1+len(text) > maxTerm:
		f.err = f.refused(at, b[i:end], i, immense(at.path, append([]byte(path+"\x00"), text...)))
	}
	return end
}

func (f *fitter) flatRefused(at *field, i, end, where int, reason string) {
	f.err = f.refused(at, f.src[i:end], where, &cause{Type: "illegal_argument_exception", Reason: reason})
}
