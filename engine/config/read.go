package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"unicode/utf8"
)

// A syntaxError is why a file is not valid YAML or TOML. Its text never quotes
// the file.
type syntaxError struct {
	line, column int
	key          string
	problem      string
	hint         string
}

func (e *syntaxError) Error() string { return e.problem }

func syntax(line int, problem, hint string) *syntaxError {
	return &syntaxError{line: line, problem: problem, hint: hint}
}

var (
	errIsFolder = errors.New("is a folder, not a file")
	errTooLarge = errors.New("is larger than the limit")
)

// readFile reads a regular file of at most limit bytes.
func readFile(file string, limit int64) ([]byte, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if info.IsDir() {
		return nil, errIsFolder
	}
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err != nil {
		return nil, err
	}
	if int64(len(data)) > limit {
		return nil, fmt.Errorf("%w of %d bytes", errTooLarge, limit)
	}
	return data, nil
}

// parse builds a tree from data; the name decides the format.
func parse(name string, data []byte) (*node, *syntaxError) {
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	if bytes.HasPrefix(data, []byte{0xff, 0xfe}) || bytes.HasPrefix(data, []byte{0xfe, 0xff}) {
		return nil, syntax(1, "is UTF-16", "save it as UTF-8")
	}
	data = bytes.ReplaceAll(data, []byte("\r\n"), []byte("\n"))
	if e := checkText(data); e != nil {
		return nil, e
	}
	isTOML := strings.EqualFold(filepath.Ext(name), ".toml")
	if e := checkSize(data, isTOML); e != nil {
		return nil, e
	}
	if isTOML {
		return parseTOML(data)
	}
	return parseYAML(data)
}

// checkText refuses data that is not text.
func checkText(data []byte) *syntaxError {
	line := 1
	for rest := data; len(rest) > 0; {
		r, size := utf8.DecodeRune(rest)
		switch {
		case r == utf8.RuneError && size == 1:
			return syntax(line, "is not UTF-8 text", "is this the configuration file?")
		case r < ' ' && r != '\n' && r != '\t' && r != '\r', r == 0x7f:
			return syntax(line, "holds a control character", "is this the configuration file?")
		case r == '\n':
			line++
		}
		rest = rest[size:]
	}
	return nil
}

// checkSize refuses files that would take the parsers long, or deep into
// recursion. It ignores quotes, so its limits leave room for text that looks
// like structure.
func checkSize(data []byte, isTOML bool) *syntaxError {
	separator := byte(':')
	if isTOML {
		separator = '='
	}
	line, depth, keys, entries, dashes := 1, 0, 0, 0, 0
	for _, c := range data {
		switch c {
		case '\n':
			line++
			entries++
			dashes = 0
		case '[', '{':
			depth++
			entries++
		case ']', '}':
			depth = max(0, depth-1)
		case ',':
			entries++
		case '-', '?', '!', '&':
			dashes++
		case separator:
			keys++
		case ' ', '\t':
		default:
			dashes = 0
		}
		switch {
		case depth > 4*maxDepth, !isTOML && dashes > 4*maxDepth && c == ' ':
			return syntax(line, "is nested too deeply", fmt.Sprintf("at most %d levels are read", maxDepth))
		case keys > maxKeys, entries > maxEntries:
			return syntax(line, "has too many entries", fmt.Sprintf("at most %d keys and %d entries are read", maxKeys, maxEntries))
		}
	}
	return nil
}
