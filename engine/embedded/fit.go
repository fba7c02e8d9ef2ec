package embedded

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// A document is checked against the fields of its index in one pass over its bytes. That runs before the
// writer's lock is taken, against the fields at that time, which is enough unless the document has
// new ones: those are added under the lock, to a clone. BenchmarkBulk measures the cost of the pass.

// fitter walks over one document.
type fitter struct {
	sh      *shape
	src     []byte
	id      []byte
	grow    bool // sh is a clone to which fields may be added
	grew    bool
	needs   bool // a field would have to be added, and grow is false
	added   int  // the added fields' count for the limit
	ignored []string
	err     *apiError
}

// fit checks a document of valid JSON. needs reports that it has new fields; then nothing else counts.
func fit(sh *shape, src, id []byte, grow bool) *fitter {
	f := &fitter{sh: sh, src: src, id: id, grow: grow}
	f.object(skipSpace(src, 0), sh.root, 0)
	slices.Sort(f.ignored)
	f.ignored = slices.Compact(f.ignored)
	return f
}

func (f *fitter) over() bool { return f.err != nil || f.needs }

func (f *fitter) ignore(path string) { f.ignored = append(f.ignored, path) }

// object walks over the object that starts at i and returns its end.
func (f *fitter) object(i int, at *field, depth int) int {
	b := f.src
	for i = skipSpace(b, i+1); b[i] != '}'; i = skipSpace(b, i) {
		if b[i] == ',' {
			i++
			continue
		}
		name := i
		key, value := member(b, i)
		if child := at.children[string(key)]; child != nil {
			i = f.value(child, value, name, depth+1)
		} else {
			i = f.unknown(at, key, name, value, depth+1)
		}
		if f.over() {
			return i
		}
	}
	return i + 1
}

// value walks over the value of a known field. depth is that of the field, name where its name
// is, or -1 in an array.
func (f *fitter) value(at *field, i, name, depth int) int {
	b := f.src
	switch {
	case at.skip:
		return skipValue(b, i)
	case at.flat:
		return f.flattened(at, i)
	}
	switch b[i] {
	case 'n':
		if at.never {
			f.judge(at, []byte("null"), i)
		}
		return i + len("null")
	case '[':
		for i = skipSpace(b, i+1); b[i] != ']' && !f.over(); i = skipSpace(b, i) {
			if b[i] == ',' {
				i++
				continue
			}
			i = f.value(at, i, -1, depth)
		}
		return i + 1
	case '{':
		if at.object {
			return f.object(i, at, depth)
		}
		end := skipValue(b, i)
		f.objectInField(at, b[i:end], i, end, name < 0)
		return end
	}
	end := endOfScalar(b, i)
	if at.object {
		f.scalarInObject(at, i, name)
		return end
	}
	f.judge(at, b[i:end], i)
	return end
}

func endOfScalar(b []byte, i int) int {
	if b[i] == '"' {
		return skipText(b, i)
	}
	for b[i] != ',' && b[i] != '}' && b[i] != ']' && b[i] > ' ' {
		i++
	}
	return i
}

// judge checks a scalar against a field and its sub-fields.
func (f *fitter) judge(at *field, raw []byte, i int) {
	if at.typ != nil {
		f.judgeOne(at, raw, i)
	}
	for _, sub := range at.subs {
		if !f.over() && sub.typ != nil {
			f.judgeOne(sub, raw, i)
		}
	}
}

func (f *fitter) judgeOne(at *field, raw []byte, i int) {
	if !at.typ.lenient {
		if at.typ.name == "keyword" && (len(raw) > maxTerm || at.above > 0 && len(raw) > at.above) {
			f.judgeLength(at, raw, i)
		}
		return
	}
	switch _, judged := at.typ.read(raw); judged {
	case unsure:
		f.err = unknown("the time zone of the date [%s] in the field [%s]", scalar(raw), at.path)
	case malformed:
		if at.lenient {
			f.ignore(at.path)
			return
		}
		f.err = f.refused(at, raw, i, malformedCause(at, raw))
	}
}

// maxTerm is the maximum number of bytes of a term in Lucene.
const maxTerm = 32_766

// judgeLength checks a text that may be too long for a keyword.
func (f *fitter) judgeLength(at *field, raw []byte, i int) {
	text := scalar(raw)
	switch {
	case at.above > 0 && (len(text) > 3*at.above || utf16Len(text) > at.above): // at most 3 bytes each
		f.ignore(at.path)
	case len(text) > maxTerm:
		f.err = f.refused(at, raw, i, immense(at.path, text))
	}
}

func immense(path string, text []byte) *cause {
	prefix := make([]string, 30)
	for i, b := range text[:30] {
		prefix[i] = fmt.Sprint(int8(b))
	}
	return &cause{Type: "illegal_argument_exception", Reason: fmt.Sprintf("Document contains at least one immense term in field=%q (whose UTF8 encoding is longer than the max length %d), all of which were skipped. Please correct the analyzer to not produce such terms. The prefix of the first immense term is: '[%s]...'", path, maxTerm, strings.Join(prefix, ", "))}
}

// utf16Len is the length of a text in UTF-16 units, as in Java.
func utf16Len(text []byte) int {
	n := utf8.RuneCount(text)
	for _, b := range text {
		if b >= 0xf0 {
			n++
		}
	}
	return n
}

// unknown walks over the value of a name that the object does not have.
func (f *fitter) unknown(at *field, key []byte, name, i, depth int) int {
	if f.checkName(at, key, name); f.err != nil {
		return i
	}
	if at.path == "" && isMetadata(key) {
		return f.value(metadata(string(key)), i, name, depth)
	}
	if bytes.IndexByte(key, '.') >= 0 {
		return f.dotted(at, key, name, i, depth)
	}
	if at.dynamic && f.src[i] != 'n' {
		return f.newField(at, string(key), name, i, depth)
	}
	return skipValue(f.src, i)
}

// newField adds the field of a non-null value.
func (f *fitter) newField(at *field, key string, name, i, depth int) int {
	if !f.grow {
		f.needs = true
		return i
	}
	path := under(at.path, key)
	switch f.src[i] {
	case '[':
		if f.sh.beyond && !f.room(1) {
			return f.left(path, i)
		}
		return f.newArray(at, key, name, i, depth)
	case '{':
		return f.newObject(at, key, i, depth)
	}
	end := endOfScalar(f.src, i)
	def, _ := f.sh.guess(f.src[i:end], key, path)
	f.addField(at, key, def, i)
	if child := at.children[key]; child != nil && f.err == nil {
		f.value(child, i, name, depth)
	}
	return end
}

// newArray walks over an array: its first non-null value decides.
func (f *fitter) newArray(at *field, key string, name, i, depth int) int {
	b, start := f.src, i
	for i = skipSpace(b, i+1); b[i] != ']' && !f.over(); i = skipSpace(b, i) {
		switch child := at.children[key]; {
		case b[i] == ',':
			i++
		case child != nil:
			i = f.value(child, i, -1, depth)
		case b[i] == 'n':
			i += len("null")
		default:
			i = f.newField(at, key, name, i, depth)
			f.checkVector(at.children[key], start)
		}
	}
	return i + 1
}

// checkVector refuses arrays that Elasticsearch would turn into a vector: 128 to 4096 numbers, the
// first a fraction, if no template has a type for them.
func (f *fitter) checkVector(child *field, start int) {
	const least, most = 128, 4096
	if child == nil || child.def["type"] != "float" || len(f.sh.templates) > 0 && f.sh.templated("double", child.path) {
		return
	}
	n := 0
	elements(f.src[start:skipValue(f.src, start)], func([]byte) bool { n++; return n <= most })
	if n >= least && n <= most {
		f.err = unknown("an array of %d numbers in the new field [%s], which Elasticsearch turns into a vector; name its type in the mapping", n, child.path)
	}
}

func (sh *shape) templated(kind, path string) bool {
	name := path[strings.LastIndexByte(path, '.')+1:]
	return slices.ContainsFunc(sh.templates, func(t template) bool { return t.applies(kind, name, path) })
}

func (f *fitter) newObject(at *field, key string, i, depth int) int {
	if f.sh.beyond && !f.room(1) {
		return f.left(under(at.path, key), i)
	}
	child := f.addObject(at, key, i, depth)
	if child == nil {
		return i
	}
	return f.object(i, child, depth)
}

func (f *fitter) addObject(at *field, key string, where, depth int) *field {
	path := under(at.path, key)
	if depth >= f.sh.depth {
		f.err = f.illegal(where, fmt.Sprintf("Limit of mapping depth [%d] has been exceeded due to object field [%s]", f.sh.depth, path))
		return nil
	}
	f.addField(at, key, map[string]any{"type": "object"}, where)
	return at.children[key]
}

// addField adds a field, unless there are too many.
func (f *fitter) addField(at *field, key string, def map[string]any, where int) {
	child, err := f.sh.compile(under(at.path, key), def, at)
	if err != nil {
		f.err = asAPIError(err)
		return
	}
	n := child.size()
	switch {
	case f.room(n):
		at.add(key, child)
		f.sh.size += n
		f.added += n
		f.grew = true
	case f.sh.beyond:
		f.ignore(child.path)
	default:
		f.err = f.tooMany(where, f.added+n)
	}
}

func (f *fitter) room(n int) bool { return f.sh.size+n <= f.sh.limit }

// left leaves a value with all its content out of the index.
func (f *fitter) left(path string, i int) int {
	f.ignore(path)
	return skipValue(f.src, i)
}

// dotted walks over the value of a dotted name, which consists of objects and a field in the innermost one.
func (f *fitter) dotted(at *field, key []byte, name, i, depth int) int {
	parts := strings.Split(strings.TrimRight(string(key), "."), ".")
	last := len(parts) - 1
	for n, part := range parts[:last] {
		child := at.children[part]
		if at.path == "" && isMetadata([]byte(part)) {
			child = metadata(part)
		}
		switch {
		case child == nil && !at.dynamic:
			return skipValue(f.src, i)
		case child == nil && !f.grow:
			f.needs = true
			return i
		case child == nil && f.sh.beyond && !f.room(1):
			return f.left(under(at.path, part), i)
		case child == nil:
			if child = f.addObject(at, part, name, depth+n); child == nil {
				return i
			}
		case child.skip:
			return skipValue(f.src, i)
		case child.flat: // the remaining names are keys in it
			return f.flatValue(child, i, strings.Join(parts[n+1:], "."), last-n)
		case !child.object:
			end := skipValue(f.src, i)
			f.objectInField(child, wrap(parts[n+1:], f.src[i:end]), i, end, false)
			return end
		}
		at = child
	}
	if child := at.children[parts[last]]; child != nil {
		return f.value(child, i, name, depth+last)
	}
	if !at.dynamic || f.src[i] == 'n' {
		return skipValue(f.src, i)
	}
	return f.newField(at, parts[last], name, i, depth+last)
}

// wrap puts a value into objects with these names.
func wrap(names []string, value []byte) []byte {
	var b []byte
	for _, name := range names {
		b = append(appendText(append(b, '{'), []byte(name)), ':')
	}
	b = append(b, value...)
	return append(b, bytes.Repeat([]byte{'}'}, len(names))...)
}
