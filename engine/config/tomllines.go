package config

import (
	"strconv"
	"strings"
)

// A tomlScanner finds the line of every key that begins a line, and of every
// table. It reads only as much of TOML as that needs: on text that is not
// TOML it may find nonsense, and the decoder then refuses the file.
type tomlScanner struct {
	rest   string
	line   int
	table  []string // of the last header, with the indices of arrays
	arrays map[string]int
	lines  map[string]int
}

// scanTOML returns the lines by path; see [tomlPath].
func scanTOML(data string) (map[string]int, *syntaxError) {
	s := &tomlScanner{rest: data, line: 1, arrays: map[string]int{}, lines: map[string]int{}}
	for s.rest != "" {
		switch c := s.rest[0]; c {
		case '\n':
			s.line++
			s.rest = s.rest[1:]
		case ' ', '\t', '\r':
			s.rest = s.rest[1:]
		case '#':
			s.skipLine()
		case '[':
			if bad := s.header(); bad != nil {
				return nil, bad
			}
		default:
			key := s.key()
			if len(key)+len(s.table) > maxDepth {
				return nil, syntax(s.line, "is nested too deeply", "at most "+strconv.Itoa(maxDepth)+" levels are read")
			}
			s.record(s.table, key)
			s.value()
		}
	}
	return s.lines, nil
}

// record notes the line of key below base, and of the tables it implies.
func (s *tomlScanner) record(base, key []string) {
	path := strings.Join(base, "\x00")
	for i, part := range key {
		if path != "" || i > 0 {
			path += "\x00"
		}
		path += part
		if _, known := s.lines[path]; !known {
			s.lines[path] = s.line
		}
	}
}

func (s *tomlScanner) skipLine() {
	_, rest, found := strings.Cut(s.rest, "\n")
	if s.rest = rest; found {
		s.line++
	}
}

// header reads [table] or [[array]].
func (s *tomlScanner) header() *syntaxError {
	isArray := strings.HasPrefix(s.rest, "[[")
	s.rest = strings.TrimLeft(s.rest, "[")
	key := s.key()
	if len(key) > maxDepth {
		return syntax(s.line, "is nested too deeply", "at most "+strconv.Itoa(maxDepth)+" levels are read")
	}
	var path []string
	for i, part := range key {
		s.record(path, []string{part})
		path = append(path, part)
		at := tomlPath(path)
		count, repeated := s.arrays[at]
		if isArray && i == len(key)-1 {
			s.arrays[at] = count + 1
			path = append(path, strconv.Itoa(count))
			s.lines[tomlPath(path)] = s.line
		} else if repeated {
			path = append(path, strconv.Itoa(count-1))
		}
	}
	s.table = path
	s.skipLine()
	return nil
}

// key reads a dotted key and stops behind what ends it, or at the line's end.
func (s *tomlScanner) key() []string {
	var parts []string
	for s.rest != "" {
		switch c := s.rest[0]; c {
		case '\n':
			return parts
		case '=', ']':
			s.rest = s.rest[1:]
			return parts
		case '"', '\'':
			parts = append(parts, s.quotedKey(c))
		case ' ', '\t', '\r', '.':
			s.rest = s.rest[1:]
		default:
			end := strings.IndexAny(s.rest, " \t\r\n.=]\"'")
			if end < 0 {
				end = len(s.rest)
			}
			parts = append(parts, s.rest[:end])
			s.rest = s.rest[end:]
		}
		if len(parts) > maxDepth {
			return parts
		}
	}
	return parts
}

func (s *tomlScanner) quotedKey(quote byte) string {
	end := 1
	for end < len(s.rest) && s.rest[end] != quote && s.rest[end] != '\n' {
		if quote == '"' && s.rest[end] == '\\' {
			end++
		}
		end++
	}
	end = min(end, len(s.rest))
	raw := s.rest[1:end]
	s.rest = s.rest[min(end+1, len(s.rest)):]
	if quote == '"' {
		if plain, err := strconv.Unquote(`"` + raw + `"`); err == nil {
			return plain
		}
	}
	return raw
}

// value skips a value, which ends with its line unless brackets or a long text
// are open.
func (s *tomlScanner) value() {
	depth := 0
	for s.rest != "" {
		switch c := s.rest[0]; c {
		case '\n':
			if depth <= 0 {
				return
			}
			s.line++
			s.rest = s.rest[1:]
		case '#':
			s.skipLine()
			if depth <= 0 {
				return
			}
		case '"', '\'':
			s.skipText(c)
		default:
			switch c {
			case '[', '{':
				depth++
			case ']', '}':
				depth--
			}
			s.rest = s.rest[1:]
		}
	}
}

// skipText skips a text in any of TOML's four kinds of quotes.
func (s *tomlScanner) skipText(quote byte) {
	long := strings.Repeat(string(quote), 3)
	isLong := strings.HasPrefix(s.rest, long)
	if isLong {
		s.rest = s.rest[3:]
	} else {
		s.rest = s.rest[1:]
	}
	for s.rest != "" {
		switch {
		case isLong && strings.HasPrefix(s.rest, long):
			s.rest = strings.TrimLeft(s.rest[3:], string(quote))
			return
		case !isLong && s.rest[0] == quote:
			s.rest = s.rest[1:]
			return
		case !isLong && s.rest[0] == '\n':
			return
		case quote == '"' && s.rest[0] == '\\' && len(s.rest) > 1 && s.rest[1] != '\n':
			s.rest = s.rest[2:]
			continue
		case s.rest[0] == '\n':
			s.line++
		}
		s.rest = s.rest[1:]
	}
}
