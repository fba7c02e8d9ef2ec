package dir

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"

	"github.com/elastic-ingest/elastic-ingest/engine/document"
)

// delimiters are the choices of the option delimiter, and the bytes that they stand for.
var delimiters = map[string]byte{",": ',', ";": ';', "tab": '\t', "|": '|'}

// When the delimiter has to be detected, these are tried in this order. Of those whose header has the id columns,
// the one with the most columns is used, and the first of several with equally many.
const (
	commaFirst = ",;\t|"
	tabFirst   = "\t,;|"
)

func commaRows(r io.Reader, s *settings) iter.Seq2[record, error] { return rows(r, s, commaFirst) }
func tabRows(r io.Reader, s *settings) iter.Seq2[record, error]   { return rows(r, s, tabFirst) }

// rows reads the rows after a header; every value is text. The header must contain the id columns, otherwise the
// file is considered misread.
func rows(r io.Reader, s *settings, candidates string) iter.Seq2[record, error] {
	return func(yield func(record, error) bool) {
		c := rowReader{b: bufio.NewReaderSize(r, bufferSize), most: s.maxRecord, line: 1}
		names, ids, err := c.header(s, candidates)
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			yield(record{}, err)
			return
		}
		var fields []document.Field
		for {
			err := c.read()
			switch {
			case errors.Is(err, io.EOF):
				return
			case err == nil && len(c.ends) != len(names):
				err = fmt.Errorf("%d values, but the header has %d", len(c.ends), len(names))
			}
			if err != nil {
				yield(record{}, atLine(c.begun, err))
				return
			}
			fields = fields[:0]
			for i, name := range names {
				fields = append(fields, document.Field{Name: name, Value: document.String(c.value(i))})
			}
			if !yield(record{fields, c.begun, ids}, nil) {
				return
			}
		}
	}
}

// rowReader reads rows as RFC 4180 describes them, with any delimiter, and with CR, LF or CR LF as line ends.
// Quoted text is kept literally, including line ends. A misplaced quote is an error: taken literally, it could
// swallow the rest of a file.
type rowReader struct {
	b         *bufio.Reader
	delimiter byte
	most      int
	line      int // of the next byte
	begun     int // where the last row begins
	buf       []byte
	ends      []int // of the values in buf
}

var (
	errNoEnd    = errors.New("a quoted value is not closed")
	errStray    = errors.New("a quote within an unquoted value")
	errAfterEnd = errors.New("text after the quote that closes a value")
)

// value is the value in a column of the last row.
func (c *rowReader) value(i int) string {
	begin := 0
	if i > 0 {
		begin = c.ends[i-1]
	}
	return string(c.buf[begin:c.ends[i]])
}

// read reads a row; io.EOF after the last. Empty lines do not count.
func (c *rowReader) read() error {
	for {
		next, err := c.b.ReadByte()
		if err != nil {
			return err
		}
		if !c.ended(next) {
			break
		}
	}
	_ = c.b.UnreadByte() // the byte just read
	c.begun, c.buf, c.ends = c.line, c.buf[:0], c.ends[:0]
	for last := false; !last; {
		var err error
		if last, err = c.readValue(); err != nil {
			return err
		}
		c.ends = append(c.ends, len(c.buf))
	}
	return nil
}

// ended reports whether a byte ends a line, and counts it.
func (c *rowReader) ended(next byte) bool {
	if next != '\n' && next != '\r' {
		return false
	}
	c.line++
	if next == '\r' {
		c.skip('\n')
	}
	return true
}

// skip reads the next byte if it is the wanted one.
func (c *rowReader) skip(wanted byte) bool {
	if next, err := c.b.Peek(1); err != nil || next[0] != wanted {
		return false
	}
	_, _ = c.b.Discard(1) // it is in the buffer
	return true
}

// readValue reads a value with the delimiter or the end of the row after it.
func (c *rowReader) readValue() (last bool, err error) {
	quoted := c.skip('"')
	if quoted {
		if err := c.readQuoted(); err != nil {
			return false, err
		}
	}
	for {
		next, err := c.b.ReadByte()
		switch {
		case errors.Is(err, io.EOF):
			return true, nil
		case err != nil:
			return false, err
		case next == c.delimiter:
			return false, nil
		case c.ended(next):
			return true, nil
		case quoted:
			return false, errAfterEnd
		case next == '"':
			return false, errStray
		}
		if err := c.keep(next); err != nil {
			return false, err
		}
	}
}

// readQuoted reads a value to the quote that ends it.
func (c *rowReader) readQuoted() error {
	for before := byte(0); ; {
		next, err := c.b.ReadByte()
		switch {
		case errors.Is(err, io.EOF):
			return errNoEnd
		case err != nil:
			return err
		case next == '"' && !c.skip('"'):
			return nil
		case next == '\r', next == '\n' && before != '\r':
			c.line++
		}
		if err := c.keep(next); err != nil {
			return err
		}
		before = next
	}
}

func (c *rowReader) keep(next byte) error {
	if c.buf = append(c.buf, next); len(c.buf)+len(c.ends) > c.most {
		return errTooLong(c.most)
	}
	return nil
}

// header finds out the delimiter, where it is not configured, and reads the names of the columns and of
// those that give the id.
func (c *rowReader) header(s *settings, candidates string) (names, ids []string, err error) {
	if s.delimiter != 0 {
		candidates = string(s.delimiter)
	}
	head, _ := c.b.Peek(bufferSize) // what is wrong with the file is found when it is read
	most := 0
	for _, candidate := range []byte(candidates) {
		try := rowReader{b: bufio.NewReaderSize(bytes.NewReader(head), bufferSize), delimiter: candidate, most: bufferSize}
		if try.read() == nil && len(try.ends) > most && s.idColumns(try.row()) != nil {
			c.delimiter, most = candidate, len(try.ends)
		}
	}
	if most == 0 { // none has the id columns: the error is that of the first
		c.delimiter = candidates[0]
	}
	if err := c.readHeader(); err != nil {
		return nil, nil, err
	}
	names = c.row()
	if ids = s.idColumns(names); ids == nil {
		return nil, nil, atLine(c.begun, fmt.Errorf("no column gives the id: none is called %s", strings.Join(s.idNames(), " or ")))
	}
	return names, ids, columnTrouble(c.begun, names)
}

// readHeader reads the first row, which may be as long as the buffer and no longer.
func (c *rowReader) readHeader() error {
	most := c.most
	c.most = bufferSize
	err := c.read()
	c.most = most
	if err != nil && !errors.Is(err, io.EOF) {
		return atLine(c.begun, err)
	}
	return err
}

// row is the last row.
func (c *rowReader) row() []string {
	all := make([]string, len(c.ends))
	for i := range all {
		all[i] = c.value(i)
	}
	return all
}

func columnTrouble(line int, names []string) error {
	for i, name := range names {
		switch {
		case name == "":
			return atLine(line, fmt.Errorf("column %d has no name", i+1))
		case slices.Contains(names[:i], name):
			return atLine(line, fmt.Errorf("two columns have the name %q", name))
		}
	}
	return nil
}
