package extract

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// Extracted is text from a service.
type Extracted struct {
	Text   string
	Cut    bool // it was longer than the limit
	Mended bool // it had invalid characters, such as NUL
}

// FirstAnswer is how many bytes of memory a response may take before grow is called.
const FirstAnswer = answerCopies * firstRead

// answerCopies is how often a response is in memory: as it is read into more room, and as text.
const answerCopies = 3

// answer is a service's response, read into memory that grows with it.
type answer struct {
	r      io.Reader
	limit  int64 // bytes of text
	grow   func(int64) error
	denied bool // grow did not allow more
}

// plain reads a response that is text.
func (a *answer) plain() (Extracted, error) {
	data, ended, err := a.read(a.limit)
	if err != nil {
		return Extracted{}, err
	}
	return a.text(string(data), !ended), nil
}

// json reads a response of Elastic's service. Its text may be twice as long in JSON; a longer one
// is truncated.
func (a *answer) json() (Extracted, error) {
	data, ended, err := a.read(2*a.limit + maxGreeting)
	if err != nil {
		return Extracted{}, err
	}
	if !ended {
		text, ok := beginning(data)
		if !ok {
			return Extracted{}, &refusedError{err: errors.New("the response is too long, and has no text")}
		}
		return a.text(text, true), nil
	}
	var body struct {
		Text    *string `json:"extracted_text"`
		Error   string  `json:"error"`
		Message string  `json:"message"`
	}
	switch err := json.Unmarshal(data, &body); {
	case err != nil:
		return Extracted{}, &refusedError{err: fmt.Errorf("the response is not JSON: %w", err)}
	case body.Error != "":
		return Extracted{}, &refusedError{err: fmt.Errorf("the extraction service returned %q: %q", short(body.Error), short(body.Message))}
	case body.Text == nil:
		return Extracted{}, &refusedError{err: errors.New("the response has no extracted_text")}
	}
	return a.text(*body.Text, false), nil
}

// read reads at most limit bytes; ended reports whether that was everything.
func (a *answer) read(limit int64) (data []byte, ended bool, err error) {
	data = make([]byte, 0, min(firstRead, limit))
	for {
		if len(data) == cap(data) {
			size := min(2*int64(cap(data)), limit)
			if size == int64(cap(data)) {
				n, err := io.ReadFull(a.r, make([]byte, 1))
				if n == 0 && errors.Is(err, io.EOF) {
					return data, true, nil
				}
				if n == 0 {
					return nil, false, err
				}
				return data, false, nil
			}
			if err := a.grow(answerCopies * size); err != nil {
				a.denied = true
				return nil, false, err
			}
			data = append(make([]byte, 0, size), data...)
		}
		n, err := a.r.Read(data[len(data):cap(data)])
		data = data[:len(data)+n]
		switch {
		case errors.Is(err, io.EOF):
			return data, true, nil
		case err != nil:
			return nil, false, err
		}
	}
}

// text makes valid text of a response, without white space around it.
func (a *answer) text(s string, cut bool) Extracted {
	if int64(len(s)) > a.limit {
		s, cut = s[:a.limit], true
	}
	if cut {
		s = wholeRunes(s)
	}
	mended := !utf8.ValidString(s) || strings.IndexByte(s, 0) >= 0
	if mended {
		s = strings.ReplaceAll(strings.ToValidUTF8(s, "\ufffd"), "\x00", "\ufffd")
	}
	return Extracted{Text: strings.TrimSpace(s), Cut: cut, Mended: mended}
}

// wholeRunes removes an incomplete character at the end.
func wholeRunes(s string) string {
	for n := 1; n <= min(utf8.UTFMax, len(s)); n++ {
		if utf8.RuneStart(s[len(s)-n]) {
			if !utf8.FullRuneInString(s[len(s)-n:]) {
				return s[:len(s)-n]
			}
			break
		}
	}
	return s
}

// beginning finds the text in the beginning of a JSON response.
func beginning(data []byte) (text string, ok bool) {
	d := json.NewDecoder(bytes.NewReader(data))
	depth, isKey := 0, false
	for {
		token, err := d.Token()
		if err != nil {
			return "", false
		}
		switch t := token.(type) {
		case json.Delim:
			if t == '{' || t == '[' {
				depth++
			} else {
				depth--
			}
			isKey = depth == 1
		default:
			if isKey && t == "extracted_text" {
				at := d.InputOffset()
				if value, err := d.Token(); err == nil {
					text, ok = value.(string)
					return text, ok
				}
				return cutString(data[at:])
			}
			isKey = depth == 1 && !isKey
		}
	}
}

// cutString decodes a truncated JSON text, after a colon.
func cutString(data []byte) (string, bool) {
	data = bytes.TrimLeft(data, " \t\r\n:")
	if len(data) == 0 || data[0] != '"' {
		return "", false
	}
	for end := len(data); end > max(0, len(data)-len(`\ud83d\ude00`)-1); end-- { // an escape may be cut
		var s string
		if json.Unmarshal(append(bytes.Clone(data[:end]), '"'), &s) == nil {
			return s, true
		}
	}
	return "", false
}

// short is text of a service for an error: its first line, truncated if it is long.
func short(s string) string {
	const most = 200
	s, _, _ = strings.Cut(s, "\n")
	if len(s) > most {
		s = wholeRunes(s[:most]) + "…"
	}
	return s
}
