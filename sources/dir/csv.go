package dir

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"iter"

	"github.com/elastic-ingest/elastic-ingest/engine/document"
)

// rows reads the rows behind a header; every value is text. What is quoted wrongly is an error in TSV
// too: taken as it stands, one stray quote could swallow the rest of a file.
func rows(r io.Reader, comma rune, most int) iter.Seq2[record, error] {
	return func(yield func(record, error) bool) {
		limit := &limited{r: r, left: bufferSize}
		c := csv.NewReader(buffered(limit))
		c.Comma = comma
		c.ReuseRecord = true
		var names []string
		var fields []document.Field
		for last := 0; ; {
			limit.left = most + bufferSize
			row, err := c.Read()
			if errors.Is(err, io.EOF) {
				return
			}
			isHeader := names == nil
			switch {
			case err != nil:
			case isHeader:
				names, err = columnNames(row)
			default:
				fields, err = rowFields(fields[:0], names, row, most)
			}
			if err != nil {
				yield(record{}, rowError(err, last, most))
				return
			}
			last, _ = c.FieldPos(0)
			if !isHeader && !yield(record{fields, last}, nil) {
				return
			}
		}
	}
}

func rowFields(fields []document.Field, names, row []string, most int) ([]document.Field, error) {
	size := len(row)
	for i, value := range row {
		size += len(value)
		fields = append(fields, document.Field{Name: names[i], Value: document.String(value)})
	}
	if size > most {
		return nil, errLimit
	}
	return fields, nil
}

// columnNames copies the header, which is read into memory that is used again.
func columnNames(header []string) ([]string, error) {
	names := make([]string, 0, len(header))
	seen := map[string]bool{}
	for i, name := range header {
		switch {
		case name == "":
			return nil, fmt.Errorf("column %d has no name", i+1)
		case seen[name]:
			return nil, fmt.Errorf("two columns have the name %q", name)
		}
		seen[name] = true
		names = append(names, name)
	}
	return names, nil
}

// rowError tells the line of an error; last is that of the row before. The content of the row is not
// part of it.
func rowError(err error, last, most int) error {
	if e, ok := errors.AsType[*csv.ParseError](err); ok {
		err = e.Err
		if errors.Is(err, csv.ErrFieldCount) {
			err = errors.New("not as many fields as the header has")
		}
		return atLine(e.StartLine, err)
	}
	if errors.Is(err, errLimit) {
		err = errTooLong(most)
	}
	if last == 0 {
		return atLine(1, err)
	}
	return fmt.Errorf("behind the row of line %d: %w", last, err)
}

// errLimit ends the reading of a row that is too long.
var errLimit = errors.New("too long")

// limited is a reader that gives up after so many bytes; who reads a row sets them anew before it.
type limited struct {
	r    io.Reader
	left int
}

func (l *limited) Read(p []byte) (int, error) {
	if l.left <= 0 {
		return 0, errLimit
	}
	n, err := l.r.Read(p[:min(len(p), l.left)])
	l.left -= n
	return n, err
}
