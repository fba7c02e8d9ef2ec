package elastic

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
)

// cursor walks over JSON without building values: a scan skips gigabytes of _source and needs only its
// bytes. It checks only as much as is needed to find the ends of values; the caller parses the values
// that it extracts.
type cursor struct {
	b []byte
	i int
}

var errCut = errors.New("incomplete response")

func (c *cursor) space() {
	for c.i < len(c.b) {
		switch c.b[c.i] {
		case ' ', '\n', '\r', '\t':
			c.i++
		default:
			return
		}
	}
}

// take skips white space and then ch; it reports whether it found ch.
func (c *cursor) take(ch byte) bool {
	c.space()
	if c.i < len(c.b) && c.b[c.i] == ch {
		c.i++
		return true
	}
	return false
}

// end checks that nothing follows.
func (c *cursor) end() error {
	if c.space(); c.i < len(c.b) {
		return errCut
	}
	return nil
}

// value skips one value and returns its bytes.
func (c *cursor) value() ([]byte, error) {
	c.space()
	if c.i >= len(c.b) {
		return nil, errCut
	}
	start := c.i
	switch c.b[c.i] {
	case '"':
		if err := c.skipString(); err != nil {
			return nil, err
		}
	case '{', '[':
		if err := c.skipNested(); err != nil {
			return nil, err
		}
	default:
		for c.i < len(c.b) && !isDelimiter(c.b[c.i]) {
			c.i++
		}
	}
	if c.i == start {
		return nil, errCut
	}
	return c.b[start:c.i], nil
}

func isDelimiter(ch byte) bool {
	switch ch {
	case ',', '}', ']', ':', ' ', '\n', '\r', '\t', '"', '{', '[':
		return true
	}
	return false
}

func (c *cursor) skipString() error {
	c.i++
	for {
		n := bytes.IndexByte(c.b[c.i:], '"')
		if n < 0 {
			return errCut
		}
		end := c.i + n
		slashes := 0
		for end-slashes > c.i && c.b[end-slashes-1] == '\\' {
			slashes++
		}
		c.i = end + 1
		if slashes%2 == 0 {
			return nil
		}
	}
}

func (c *cursor) skipNested() error {
	depth := 0
	for c.i < len(c.b) {
		switch c.b[c.i] {
		case '"':
			if err := c.skipString(); err != nil {
				return err
			}
			continue
		case '{', '[':
			depth++
		case '}', ']':
			depth--
			if depth == 0 {
				c.i++
				return nil
			}
		}
		c.i++
	}
	return errCut
}

// object calls member for each member of an object, with the cursor before the value; member must
// move past it.
func (c *cursor) object(member func(key []byte) error) error {
	if !c.take('{') {
		return errCut
	}
	if c.take('}') {
		return nil
	}
	for {
		key, err := c.value()
		if err != nil || len(key) < 2 || key[0] != '"' || !c.take(':') {
			return errCut
		}
		if err := member(key[1 : len(key)-1]); err != nil {
			return err
		}
		if c.take('}') {
			return nil
		}
		if !c.take(',') {
			return errCut
		}
	}
}

// array calls element for each element of an array, with the cursor before it.
func (c *cursor) array(element func() error) error {
	if !c.take('[') {
		return errCut
	}
	if c.take(']') {
		return nil
	}
	for {
		if err := element(); err != nil {
			return err
		}
		if c.take(']') {
			return nil
		}
		if !c.take(',') {
			return errCut
		}
	}
}

// text reads a JSON string.
func text(raw []byte) (string, error) {
	if len(raw) < 2 || raw[0] != '"' {
		return "", errCut
	}
	if bytes.IndexByte(raw, '\\') < 0 {
		return string(raw[1 : len(raw)-1]), nil
	}
	var s string
	if err := json.Unmarshal(raw, &s); err != nil {
		return "", fmt.Errorf("%w: %w", errCut, err)
	}
	return s, nil
}

// StringField reads a top-level text field of a _source; "" if there is none.
func StringField(source []byte, name string) string {
	found, _ := text(Member(source, name)) // anything but a string counts as missing
	return found
}

// Member is the JSON of a top-level field of a _source; nil if there is none.
func Member(source []byte, name string) (found []byte) {
	c := cursor{b: source}
	_ = c.object(func(key []byte) error {
		v, err := c.value()
		if err == nil && string(key) == name {
			found = v
		}
		return err
	})
	return found
}
