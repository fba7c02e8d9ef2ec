package embedded

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"hash/maphash"
	"unicode/utf8"
)

// maxDepth is the nesting limit of documents; Elasticsearch's parser has the same.
const maxDepth = 1000

// checker decides whether bytes are one JSON text the way Elasticsearch's parser does: strict
// grammar, UTF-8, no key twice in an object, no deeper than maxDepth. It is written by hand because
// every written document passes here, and it checks more than encoding/json in half the time
// (BenchmarkCheck, BenchmarkStandardValid).
type checker struct {
	b     []byte
	depth int
	keys  []fieldKey // of the objects that are open, outermost first
	seed  maphash.Seed
}

type fieldKey struct {
	hash uint64
	name []byte // as written, escapes and all, without quotes
}

// problem is an error in a JSON text; at is its position, from 0.
type problem struct {
	what string
	at   int
}

const (
	endsEarly = "Unexpected end of file"
	badToken  = "Unexpected character"
)

func newChecker() *checker { return &checker{seed: maphash.MakeSeed()} }

// check reads one value with surrounding white space and returns its end, which is the end of b
// or the start of something that does not belong to it. nil means no problem.
func (c *checker) check(b []byte) (int, *problem) {
	c.b, c.depth, c.keys = b, 0, c.keys[:0]
	i := skipSpace(b, 0)
	if i == len(b) {
		return i, &problem{endsEarly, i}
	}
	i, p := c.value(i)
	if p != nil {
		return i, p
	}
	return skipSpace(b, i), nil
}

func (c *checker) value(i int) (int, *problem) {
	if i >= len(c.b) {
		return i, &problem{endsEarly, i}
	}
	switch ch := c.b[i]; {
	case ch == '"':
		return c.text(i)
	case ch == '{' || ch == '[':
		if c.depth++; c.depth > maxDepth {
			return i, &problem{"Document nesting depth exceeds the maximum allowed (1000)", i}
		}
		defer func() { c.depth-- }()
		if ch == '{' {
			return c.object(i)
		}
		return c.array(i)
	case ch == '-' || ch >= '0' && ch <= '9':
		return c.number(i)
	}
	for _, word := range [...]string{"true", "false", "null"} {
		if bytes.HasPrefix(c.b[i:], []byte(word)) {
			return i + len(word), nil
		}
	}
	return i, &problem{badToken, i}
}

func (c *checker) object(i int) (int, *problem) {
	base := len(c.keys)
	defer func() { c.keys = c.keys[:base] }()
	i = skipSpace(c.b, i+1)
	if i < len(c.b) && c.b[i] == '}' {
		return i + 1, nil
	}
	var many map[string]struct{}
	for {
		if i >= len(c.b) {
			return i, &problem{endsEarly, i}
		}
		if c.b[i] != '"' {
			return i, &problem{badToken, i}
		}
		end, p := c.text(i)
		if p != nil {
			return end, p
		}
		if many, p = c.unique(base, i, end, many); p != nil {
			return i, p
		}
		if i, p = c.punctuation(end, ':'); p != nil {
			return i, p
		}
		if i, p = c.value(i); p != nil {
			return i, p
		}
		i = skipSpace(c.b, i)
		if i < len(c.b) && c.b[i] == '}' {
			return i + 1, nil
		}
		if i, p = c.punctuation(i, ','); p != nil {
			return i, p
		}
	}
}

// unique records a key of the innermost object, unless the object already has it. Few keys are compared one
// by one, many through a map.
func (c *checker) unique(base, start, end int, many map[string]struct{}) (map[string]struct{}, *problem) {
	name := c.b[start+1 : end-1]
	if bytes.IndexByte(name, '\\') >= 0 {
		name = unquote(c.b[start:end])
	}
	twice := &problem{"Duplicate field '" + string(name) + "'", start}
	if many != nil {
		if _, ok := many[string(name)]; ok {
			return many, twice
		}
		many[string(name)] = struct{}{}
		return many, nil
	}
	k := fieldKey{maphash.Bytes(c.seed, name), name}
	for _, other := range c.keys[base:] {
		if other.hash == k.hash && bytes.Equal(other.name, name) {
			return nil, twice
		}
	}
	c.keys = append(c.keys, k)
	if len(c.keys)-base < 64 {
		return nil, nil
	}
	many = make(map[string]struct{}, 128)
	for _, other := range c.keys[base:] {
		many[string(other.name)] = struct{}{}
	}
	return many, nil
}

func (c *checker) array(i int) (int, *problem) {
	i = skipSpace(c.b, i+1)
	if i < len(c.b) && c.b[i] == ']' {
		return i + 1, nil
	}
	for {
		var p *problem
		if i, p = c.value(i); p != nil {
			return i, p
		}
		i = skipSpace(c.b, i)
		if i < len(c.b) && c.b[i] == ']' {
			return i + 1, nil
		}
		if i, p = c.punctuation(i, ','); p != nil {
			return i, p
		}
	}
}

// punctuation reads one punctuation mark with surrounding white space.
func (c *checker) punctuation(i int, mark byte) (int, *problem) {
	i = skipSpace(c.b, i)
	if i >= len(c.b) {
		return i, &problem{endsEarly, i}
	}
	if c.b[i] != mark {
		return i, &problem{badToken, i}
	}
	return skipSpace(c.b, i+1), nil
}

func (c *checker) number(i int) (int, *problem) {
	b := c.b
	if b[i] == '-' {
		i++
	}
	start := i
	i = digits(b, i)
	if i == start || b[start] == '0' && i > start+1 {
		return i, &problem{"Invalid numeric value", i}
	}
	if i < len(b) && b[i] == '.' {
		start = i + 1
		if i = digits(b, start); i == start {
			return i, &problem{"Invalid numeric value", i}
		}
	}
	if i < len(b) && (b[i] == 'e' || b[i] == 'E') {
		i++
		if i < len(b) && (b[i] == '+' || b[i] == '-') {
			i++
		}
		start = i
		if i = digits(b, start); i == start {
			return i, &problem{"Invalid numeric value", i}
		}
	}
	return i, nil
}

func digits(b []byte, i int) int {
	for i < len(b) && b[i] >= '0' && b[i] <= '9' {
		i++
	}
	return i
}

// text reads a string from its opening quote to after its closing one.
func (c *checker) text(i int) (int, *problem) {
	b := c.b
	i++
	for {
		i = plain(b, i)
		if i >= len(b) {
			return i, &problem{endsEarly, i}
		}
		switch ch := b[i]; {
		case ch == '"':
			return i + 1, nil
		case ch < 0x20:
			return i, &problem{"Illegal unquoted character", i}
		case ch == '\\':
			n := escape(b[i:])
			if n == 0 {
				return i, &problem{"Unrecognized character escape", i}
			}
			i += n
		default:
			n := letter(b[i:])
			if n == 0 {
				return i, &problem{"Invalid UTF-8", i}
			}
			i += n
		}
	}
}

// escape is the length of the escape sequence at the start of b, 0 if there is none.
func escape(b []byte) int {
	if len(b) < 2 {
		return 0
	}
	if b[1] != 'u' {
		if bytes.IndexByte([]byte(`"\/bfnrt`), b[1]) < 0 {
			return 0
		}
		return 2
	}
	if len(b) < 6 {
		return 0
	}
	for _, ch := range b[2:6] {
		if (ch < '0' || ch > '9') && (ch|0x20 < 'a' || ch|0x20 > 'f') {
			return 0
		}
	}
	return 6
}

// letter is the length of the UTF-8 sequence at the start of b, 0 if it is invalid. Half a surrogate
// pair in three bytes passes, as it does in Elasticsearch.
func letter(b []byte) int {
	r, n := utf8.DecodeRune(b)
	if r != utf8.RuneError || n > 1 {
		return n
	}
	if len(b) > 2 && b[0] == 0xed && b[1]&0xe0 == 0xa0 && b[2]&0xc0 == 0x80 {
		return 3
	}
	return 0
}

// plain skips ASCII without a special meaning in a string, eight bytes at a time.
func plain(b []byte, i int) int {
	const ones, highs = 0x0101010101010101, 0x8080808080808080
	for i+8 <= len(b) {
		w := binary.LittleEndian.Uint64(b[i:])
		quote, slash := w^(ones*'"'), w^(ones*'\\')
		if (w|(w-ones*0x20)|(quote-ones)|(slash-ones))&highs != 0 {
			break
		}
		i += 8
	}
	for i < len(b) && b[i] >= 0x20 && b[i] < 0x80 && b[i] != '"' && b[i] != '\\' {
		i++
	}
	return i
}

func skipSpace(b []byte, i int) int {
	for i < len(b) && (b[i] == ' ' || b[i] == '\n' || b[i] == '\t' || b[i] == '\r') {
		i++
	}
	return i
}

// unquote decodes a valid string with its quotes.
func unquote(b []byte) []byte {
	if bytes.IndexByte(b, '\\') < 0 {
		return b[1 : len(b)-1]
	}
	var s string
	if err := json.Unmarshal(b, &s); err != nil {
		return b[1 : len(b)-1]
	}
	return []byte(s)
}

// skipValue returns the end of the value that starts at i. The text must be valid.
func skipValue(b []byte, i int) int {
	depth := 0
	for i < len(b) {
		switch b[i] {
		case '"':
			i = skipText(b, i)
		case '{', '[':
			depth++
			i++
			continue
		case '}', ']':
			depth--
			i++
		case ' ', '\n', '\t', '\r', ',', ':':
			i++
			continue
		default:
			for i < len(b) && bytes.IndexByte([]byte(" \n\t\r,:}]"), b[i]) < 0 {
				i++
			}
		}
		if depth <= 0 {
			return i
		}
	}
	return i
}

func skipText(b []byte, i int) int {
	for i++; i < len(b); {
		i = plain(b, i)
		switch {
		case i >= len(b):
			return i
		case b[i] == '"':
			return i + 1
		case b[i] == '\\':
			i += 2
		default:
			i++
		}
	}
	return i
}

// fields calls do with every key, decoded, and value of a valid object, until it returns false.
func fields(object []byte, do func(key, value []byte) bool) {
	i := skipSpace(object, 0)
	if i >= len(object) || object[i] != '{' {
		return
	}
	for i = skipSpace(object, i+1); i < len(object) && object[i] != '}'; i = skipSpace(object, i) {
		if object[i] == ',' {
			i++
			continue
		}
		key, value := member(object, i)
		if i = skipValue(object, value); !do(key, object[value:i]) {
			return
		}
	}
}

// member reads the key of a member of an object, which starts at i: the key, decoded, and the start of the value.
func member(b []byte, i int) (key []byte, value int) {
	end := skipText(b, i)
	return unquote(b[i:end]), skipSpace(b, skipSpace(b, end)+1)
}

// elements calls do with every value of a valid array, until it returns false.
func elements(array []byte, do func(value []byte) bool) {
	i := skipSpace(array, 0)
	if i >= len(array) || array[i] != '[' {
		return
	}
	for i = skipSpace(array, i+1); i < len(array) && array[i] != ']'; i = skipSpace(array, i) {
		if array[i] == ',' {
			i++
			continue
		}
		start := i
		if i = skipValue(array, i); !do(array[start:i]) {
			return
		}
	}
}

// appendText appends s as a JSON string.
func appendText(b []byte, s []byte) []byte {
	for _, ch := range s {
		if ch < 0x20 || ch == '"' || ch == '\\' || ch >= 0x7f {
			return append(b, mustMarshal(string(s))...)
		}
	}
	b = append(b, '"')
	b = append(b, s...)
	return append(b, '"')
}
