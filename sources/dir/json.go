package dir

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"

	"github.com/elastic-ingest/elastic-ingest/engine/document"
)

// jsonLines reads one object a line. Empty lines do not count.
func jsonLines(r io.Reader, s *settings) iter.Seq2[record, error] {
	return func(yield func(record, error) bool) {
		b := bufio.NewReaderSize(r, bufferSize)
		var buf []byte
		var fields []document.Field
		for line := 1; ; line++ {
			var err error
			buf, err = readLine(b, buf[:0], s.maxRecord)
			if errors.Is(err, io.EOF) {
				return
			}
			if err == nil && len(bytes.TrimSpace(buf)) == 0 {
				continue
			}
			if err == nil {
				fields, err = object(fields[:0], buf)
			}
			if err != nil {
				yield(record{}, atLine(line, err))
				return
			}
			if !yield(record{fields: fields, line: line}, nil) {
				return
			}
		}
	}
}

// readLine appends one line to buf, without its end, which is CR, LF or CR LF and may be absent from the
// last. io.EOF means that there is none.
func readLine(b *bufio.Reader, buf []byte, most int) ([]byte, error) {
	for any := false; ; any = true {
		_, err := b.Peek(1)
		if errors.Is(err, io.EOF) && any {
			return buf, nil
		}
		if err != nil {
			return buf, err
		}
		have, _ := b.Peek(b.Buffered())
		end := bytes.IndexAny(have, "\r\n")
		part := have
		if end >= 0 {
			part = have[:end]
		}
		if buf = append(buf, part...); len(buf) > most {
			return buf, errTooLong(most)
		}
		if end < 0 {
			_, _ = b.Discard(len(have)) // they are in the buffer
			continue
		}
		cr := have[end] == '\r'
		_, _ = b.Discard(end + 1)
		if next, err := b.Peek(1); cr && err == nil && next[0] == '\n' {
			_, _ = b.Discard(1)
		}
		return buf, nil
	}
}

// jsonValues reads an array of objects, or a sequence of one or more objects.
func jsonValues(r io.Reader, s *settings) iter.Seq2[record, error] {
	return func(yield func(record, error) bool) {
		v := values{b: bufio.NewReaderSize(r, bufferSize), most: s.maxRecord, line: 1}
		for {
			rec, err := v.next()
			switch {
			case errors.Is(err, io.EOF):
				return
			case err != nil:
				yield(record{}, atLine(v.line, err))
				return
			case !yield(rec, nil):
				return
			}
		}
	}
}

// values reads JSON object by object; encoding/json would load an object of any size into memory.
type values struct {
	b     *bufio.Reader
	most  int
	line  int
	buf   []byte
	rec   record
	n     int  // objects read
	array bool // within one
	over  bool // after it
}

// next returns the next object; io.EOF after the last.
func (v *values) next() (record, error) {
	c, err := v.begin()
	if err != nil {
		return record{}, err
	}
	if c != '{' {
		return record{}, fmt.Errorf("an object was expected, not %q", c)
	}
	line := v.line
	if err := v.scan(); err != nil {
		v.line = line
		return record{}, err
	}
	v.rec.line = line
	if v.rec.fields, err = object(v.rec.fields[:0], v.buf); err != nil {
		v.line = line
		return record{}, err
	}
	v.n++
	return v.rec, nil
}

// begin reads what stands before an object, and the first character of it.
func (v *values) begin() (byte, error) {
	c, err := v.nonSpace()
	switch {
	case errors.Is(err, io.EOF) && v.n == 0 && !v.array && !v.over:
		return 0, errors.New("the file is empty and so not valid JSON")
	case errors.Is(err, io.EOF) && v.array:
		return 0, errors.New("the array is not closed")
	case err != nil:
		return 0, err
	case v.over:
		return 0, errors.New("text after the array")
	case v.n == 0 && !v.array && c == '[':
		v.array = true
		if c, err = v.nonSpace(); err != nil || c != ']' {
			return c, unexpectedEnd(err)
		}
	case !v.array:
		return c, nil
	case c == ',' && v.n > 0:
		c, err = v.nonSpace()
		return c, unexpectedEnd(err)
	}
	if c != ']' {
		return 0, fmt.Errorf("a comma or the end of the array was expected, not %q", c)
	}
	v.array, v.over = false, true
	return v.begin()
}

func unexpectedEnd(err error) error {
	if errors.Is(err, io.EOF) {
		return errors.New("the array is not closed")
	}
	return err
}

func (v *values) nonSpace() (byte, error) {
	for {
		c, err := v.b.ReadByte()
		switch {
		case err != nil:
			return 0, err
		case c == '\n':
			v.line++
		case c != ' ' && c != '\t' && c != '\r':
			return c, nil
		}
	}
}

// scan reads the rest of an object into the buffer, to the brace that closes it.
func (v *values) scan() error {
	v.buf = append(v.buf[:0], '{')
	inString := false
	for depth := 1; depth > 0; {
		c, err := v.b.ReadByte()
		if errors.Is(err, io.EOF) {
			return errors.New("the object that begins here is not closed")
		}
		if err != nil {
			return err
		}
		if v.buf = append(v.buf, c); len(v.buf) > v.most {
			return errTooLong(v.most)
		}
		switch {
		case c == '\n':
			v.line++
		case inString && c == '\\':
			next, err := v.b.ReadByte()
			if err != nil {
				return errors.New("the object that begins here is not closed")
			}
			v.buf = append(v.buf, next)
		case c == '"':
			inString = !inString
		case inString:
		case c == '{' || c == '[':
			depth++
		case c == '}' || c == ']':
			depth--
		}
	}
	return nil
}

// object appends the fields of an object in their order, each value as written. Of two fields with the same name
// the last counts, as in nearly every JSON reader.
func object(fields []document.Field, text []byte) ([]document.Field, error) {
	v, err := document.CompactRaw(text)
	if err != nil {
		return nil, fmt.Errorf("not JSON: %w", err)
	}
	compact := v.Text()
	if compact[0] != '{' {
		return nil, errors.New("an object was expected")
	}
	var index map[string]int // of the fields by name, once they are many
	for rest := compact[1:]; rest[0] != '}'; {
		if rest[0] == ',' {
			rest = rest[1:]
		}
		end := stringEnd(rest)
		name, err := unquote(rest[:end])
		if err != nil {
			return nil, err
		}
		rest = rest[end+1:]
		end = valueEnd(rest)
		value := document.Portable(document.Raw(rest[:end]))
		rest = rest[end:]
		if index == nil && len(fields) == many {
			index = indexOf(fields)
		}
		if i := find(fields, index, name); i >= 0 {
			fields[i].Value = value
			continue
		}
		if index != nil {
			index[name] = len(fields)
		}
		fields = append(fields, document.Field{Name: name, Value: value})
	}
	return fields, nil
}

// many is how many fields are faster found in a map than by looking at each; an object of 16 MiB may
// have millions.
const many = 32

func indexOf(fields []document.Field) map[string]int {
	index := make(map[string]int, 2*len(fields))
	for i := range fields {
		index[fields[i].Name] = i
	}
	return index
}

// find returns the place of the field, or -1.
func find(fields []document.Field, index map[string]int, name string) int {
	if index != nil {
		if i, ok := index[name]; ok {
			return i
		}
		return -1
	}
	return slices.IndexFunc(fields, func(f document.Field) bool { return f.Name == name })
}

func unquote(s string) (string, error) {
	if strings.IndexByte(s, '\\') < 0 {
		return s[1 : len(s)-1], nil
	}
	var name string
	err := json.Unmarshal([]byte(s), &name)
	return name, err
}

// valueEnd is where the value ends that valid JSON without white space begins with.
func valueEnd(s string) int {
	switch s[0] {
	case '"':
		return stringEnd(s)
	case '{', '[':
	default: // a number or a word
		return strings.IndexAny(s, ",}]")
	}
	depth := 0
	for i := 0; ; i++ {
		switch s[i] {
		case '"':
			i += stringEnd(s[i:]) - 1
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth == 0 {
				return i + 1
			}
		}
	}
}

// stringEnd is where the string ends that s begins with.
func stringEnd(s string) int {
	for i := 1; ; i++ {
		switch s[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
}
